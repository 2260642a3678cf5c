import { Option } from '@commander-js/extra-typings';

export const applyOption = () => new Option('--apply', 'do it, once confirmed; else only the plan is shown');
export const confirmOption = (what: string) =>
  new Option('--confirm <name>', `confirm without being asked: ${what}`);
export const resumeOption = () =>
  new Option('--resume <job>', 'go on with an earlier run that stopped early').conflicts([
    'apply',
    'confirm',
  ]);
