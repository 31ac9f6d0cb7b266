import './base.css';
import {render} from 'preact';
render(<h1>Ferraris</h1>, document.getElementById('app')!);
