import { mount } from 'svelte';
import LocalLogPage from './LocalLogPage.svelte';
import './app.css';
import { store } from './store.svelte';

const target = document.getElementById('app');
if (target !== null) {
  store.applyTheme();
  mount(LocalLogPage, { target });
}
