-- The pane of a session shows another conversation than the one on record, and nobody can say for certain that it is to be followed there.
create table if not exists session_moves (
  session_id text primary key,
  thread_id text not null,
  -- `began`: it began after the one on record; `hint`: its server told that it was taken up again; `pane`: the writer locks tell.
  told_by text not null check (told_by in ('began', 'hint', 'pane')),
  seen_at text not null
) strict;

-- Somebody took the conversation of a running session on record: what its server had begun before that was decided about.
alter table session_sockets add column decided_at text;

-- How an ask ended as far as it is known: `seen` (answered by whom `answered_by` says, or, without, gone unanswered) or `unknown`.
alter table agent_asks add column proof text check (proof in ('seen', 'unknown'));
update agent_asks set proof = case when answered_by is null and sent_at is not null then 'unknown' else 'seen' end
  where ended_at is not null;
