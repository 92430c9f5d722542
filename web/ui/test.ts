import { mount } from 'svelte';
import TestPage from './TestPage.svelte';
import './app.css';
import { store } from './store.svelte';

const target = document.getElementById('app');
if (target !== null) {
  store.applyTheme();
  mount(TestPage, { target });
}
