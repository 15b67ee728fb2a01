-- run_explain looks for the runs ahead among the narrow rows of those that have not ended.
create or replace function count_ahead(s agent_run, r agent_run, p_grant jsonb, p_among text,
  p_now timestamptz) returns bigint language sql stable as $$
  select count(*) from (select from agent_run_open o
      join agent_run x on x.tenant_id = o.tenant_id and x.id = o.id
    where o.tenant_id = r.tenant_id and o.queue_name = r.queue_name
      and o.status in ('queued', 'claimed') and o.rank <= -r.priority::int
      and (o.rank < -r.priority::int or o.id < r.id)
      and is_claimable(x, r.requested_runtime_id, p_now)
      and case p_among
        when 'queue' then holds_in_workspace(p_grant -> 'admin', x.workspace_id)
        when 'creator' then x.created_by = p_grant ->> 'caller'
          and holds_in_workspace(p_grant -> 'creator', x.workspace_id)
        else in_scope(s, x) end
    limit 1001) ahead
$$;
