// Start of the pages.
import './base.css';
import './controls.css';
import './page.css';
import './curve.css';
import {render} from 'preact';
import {App} from './app.tsx';
import {startTheme} from './theme.ts';

startTheme();
render(<App />, document.getElementById('app')!);
