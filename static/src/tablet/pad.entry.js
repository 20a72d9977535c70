// The pad to sign on, fetched when the first one is shown (and kept by the service worker before that).

export { default } from 'signature_pad';
