-- What a task may use before nothing more is said to its worker: tokens, cached ones not counted, or a part of the account's windows.
create table if not exists task_budgets (
  task_id text primary key,
  tokens integer check (tokens > 0),
  window_percent real check (window_percent > 0 and window_percent <= 100),
  set_at text not null,
  check (tokens is not null or window_percent is not null)
) strict;
