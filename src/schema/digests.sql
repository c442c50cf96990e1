-- What one sending tells of besides the notification in its own row. Written before that row, in the same transaction.
create table if not exists digest_messages (
  delivery_id text not null references deliveries (id) deferrable initially deferred,
  position integer not null,
  notification_id integer not null,
  primary key (delivery_id, position)
) strict;
create index if not exists digest_messages_notification on digest_messages (notification_id);
