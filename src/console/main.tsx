import { render } from 'preact';
import { loadSession } from './login.js';
import { hearKeys } from './keys.js';
import { Page } from './page.js';
import { followLinks } from './router.js';

followLinks();
hearKeys();
render(<Page />, document.getElementById('page') ?? document.body);
void loadSession();
