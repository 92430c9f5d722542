import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { store } from './store.svelte';

const target = document.getElementById('app');
if (target !== null) {
  store.applyTheme();
  mount(App, { target });
  void store.start();
}
