-- Whose turn it is: all that waits, in one order.
-- Its functions are made when somebody competes, since each costs as much as a call.

local function turns()
  local lists, offsets, after, taken = {}, {}, {}, {}  -- of each demand: where it is, and which is next in its group
  local first, last = 1, 0  -- the asking member's own

  local function before(a, b)
    if a.rank ~= b.rank then return a.rank < b.rank end
    if a.key ~= b.key then return a.key < b.key end
    return a.id < b.id
  end

  local function push(heap, item)
    local at = #heap + 1
    while at > 1 do
      local up = floor(at / 2)
      if before(heap[up], item) then break end
      heap[at] = heap[up]
      at = up
    end
    heap[at] = item
  end

  local function settle_down(heap, item)  -- in place of the first one
    local count, at = #heap, 1
    while true do
      local down = at * 2
      if down > count then break end
      if down < count and before(heap[down + 1], heap[down]) then down = down + 1 end
      if before(item, heap[down]) then break end
      heap[at] = heap[down]
      at = down
    end
    heap[at] = item
  end

  local function leave(heap, group)  -- the first one goes, unless more of it waits
    if group.head > 0 then return settle_down(heap, group) end
    local item = table.remove(heap)
    if heap[1] then settle_down(heap, item) end
  end

  local function second(heap)
    local one, other = heap[2], heap[3]
    return other and before(other, one) and other or one
  end

  local function since(e) return lists[e][offsets[e] + 5] end

  local function join(group, e)  -- who was given nothing for longest goes first
    local mine, ahead, behind = since(e), group.tail, 0
    group.many = group.many + 1
    if since(ahead) > mine then
      ahead, behind = 0, group.head
      while since(behind) <= mine do ahead, behind = behind, after[behind] end
    end
    after[e] = behind
    if ahead > 0 then after[ahead] = e else group.head = e end
    if behind == 0 then group.tail = e end
  end

  local function skip(group)
    group.head, group.many = after[group.head], group.many - 1
  end

  local function widened(flat, stride)  -- said when there were fewer dimensions
    local wide = {stride}
    for o = 2, #flat, flat[1] do
      for i = 0, stride - 1 do wide[#wide + 1] = i < flat[1] and flat[o + i] or 0 end
    end
    return wide
  end

  -- Demands that are alive, by rank and flow; what waits at others by rank, and whose flows.
  local function waiting(fund, mine, list)
    local groups, rows, ahead, alive = {}, {}, {}, {}
    local stride, main, count = 6 + #fund[8], #fund[8] > 1 and 7 or 6, 0
    for owner, member in ipairs(fund[9]) do
      local own, flat = owner == mine, list
      if not own then
        flat = member[4] ~= '' and now - member[2] <= member[3] and {unpack(member[4])} or {}
      end
      if flat[1] and flat[1] ~= stride then flat = widened(flat, stride) end
      first = own and count + 1 or first
      local row
      for o = 2, #flat, stride do
        local rank, id = flat[o], flat[o + 1]
        if not row or row[1] ~= rank then row = rows[rank] end
        if not row then
          row = {rank, 0, 0, {}}
          rows[rank] = row
          ahead[#ahead + 1] = row
        end
        count = count + 1
        lists[count], offsets[count], after[count] = flat, o, 0
        local group = row[4][id]
        if group then
          join(group, count)
        else
          group = {rank = rank, id = id, key = 0, head = count, tail = count, many = 1}
          row[4][id] = group
          groups[#groups + 1] = group
        end
        if not own then
          row[2] = row[2] + flat[o + 3]
          row[3] = row[3] + flat[o + 3] * flat[o + main]
          alive[id] = true
        end
      end
      last = own and count or last
    end
    table.sort(ahead, function(a, b) return a[1] < b[1] end)
    local told = {}
    for _, row in ipairs(ahead) do
      if row[2] > 0 then told[#told + 1] = {row[1], row[2], row[3]} end
    end
    return groups, told, alive
  end

  local function known_flows(fund, groups)  -- each flow that waits has its record
    local flows = {}
    for _, flow in ipairs(fund[10]) do flows[flow[1]] = flow end
    for _, group in ipairs(groups) do
      local flow = flows[group.id]
      if not flow then
        flow = {group.id, group.rank, 0, 0, now}
        flows[group.id] = flow
        fund[10][#fund[10] + 1] = flow
      elseif group.rank >= 0 and flow[2] ~= group.rank then
        flow[2] = group.rank
      end
      flow[5] = now
    end
    return flows
  end

  local function advance(fund, rank, by)  -- the rank's virtual time
    if by <= 0 then return end
    for _, flow in ipairs(fund[10]) do
      if flow[2] == rank then flow[3] = max(0, flow[3] - by) end
    end
  end

  local function catch_up(fund, alive, last)  -- a rank's time is where the least served of those that wait stands
    local least, ranks = {}, {}
    for _, flow in ipairs(fund[10]) do
      local rank = flow[2]
      if alive[flow[1]] then
        if not least[rank] then ranks[#ranks + 1] = rank end
        least[rank] = min(least[rank] or flow[3], flow[3])
      end
    end
    for _, rank in ipairs(ranks) do advance(fund, rank, least[rank]) end
    for rank, start in pairs(last) do
      if not least[rank] then advance(fund, rank, start) end
    end
  end

  local function service(e, main)
    local flat, o = lists[e], offsets[e]
    return max(1, floor(min(flat[o + 5 + main], LARGEST) * 1000 * UNIT / flat[o + 2]))
  end

  local function needed(e, d, main, depth)
    local units, kept = lists[e][offsets[e] + 5 + d], lists[e][offsets[e] + 4]
    if d ~= main then kept = d == 1 and kept > 0 and 2 or 0 end
    return min(units + kept, depth)
  end

  local function fits(e, left, depths, main)  -- how many calls like it; -1: none while so much is withheld
    local flat, o = lists[e], offsets[e] + 5
    local count = flat[o - 2]
    for d, depth in ipairs(depths) do
      local units = flat[o + d]
      if units > 0 and depth.most < LOTS then
        if min(units, depth.all) > depth.most then return -1 end
        local need = needed(e, d, main, depth.most)
        if left[d] < need then return 0 end
        count = min(count, 1 + max(0, floor((left[d] - need) / units)))
      end
    end
    return count
  end

  local function rotate(group)
    local e = group.head
    if lists[e][offsets[e] + 3] == 0 then return skip(group) end
    if group.many == 1 then return end
    group.head, after[group.tail], group.tail, after[e] = after[e], e, e, 0
  end

  local function shared(e, count, cost, heap, left, depths)  -- the others' turn comes before the rest is divided
    local group, next = heap[1], second(heap)
    if next and next.rank == group.rank then
      local room, flat, o = count, lists[e], offsets[e] + 5
      for d, depth in ipairs(depths) do
        local units = flat[o + d]
        if depth.most < LOTS and units > 0 then room = min(room, floor(left[d] / units)) end
      end
      count = min(count, max(1, floor((next.key - group.key) / cost), floor(room / (2 * #heap))))
    end
    return group.many > 1 and max(1, floor(count / group.many)) or count
  end

  -- Goes through all that waits in its order, until a call does not fit. Returns what is left of the order.
  local function divide(groups, flows, left, depths, main, granted, got)
    local heap, virtual, ends = {}, {}, {}
    local blocked, steps = false, 0
    for _, group in ipairs(groups) do
      group.key = flows[group.id][3]
      virtual[group.id] = group.key
      push(heap, group)
    end
    while heap[1] do
      local group = heap[1]
      if group.key ~= virtual[group.id] then
        group.key = virtual[group.id]
      else
        local e = group.head
        local count = fits(e, left, depths, main)
        local own = e >= first and e <= last
        steps = steps + 1
        if count == 0 or steps > STEPS then break end
        if count < 0 then
          blocked = blocked or own
          skip(group)
        else
          local cost, flat, o = service(e, main), lists[e], offsets[e] + 5
          count = shared(e, count, cost, heap, left, depths)
          for d = 1, #left do
            if left[d] < LOTS then left[d] = left[d] - count * flat[o + d] end
          end
          group.key = group.key + cost * count
          virtual[group.id] = group.key
          flat[o - 2] = flat[o - 2] - count
          if own then
            local flow, units = flows[group.id], count * flat[o + main]
            for d = 1, #left do granted[d] = granted[d] + count * flat[o + d] end
            taken[e] = true
            flow[3] = flow[3] + cost * count
            flow[4] = flow[4] + units
            got[group.id] = (got[group.id] or 0) + units
            ends[flow[2]] = flow[3] - cost
          end
          rotate(group)
        end
      end
      leave(heap, group)
    end
    return heap, virtual, ends, blocked, steps > STEPS
  end

  local function keep(member, alive, flows, got)  -- what waits still; what was granted to whom
    local rest, served, said = {}, {}, {}
    for e = first, last do
      local flat, o = lists[e], offsets[e]
      local id = flat[o + 1]
      if not said[id] then
        said[id] = true
        served[#served + 1] = {id, flows[id][4], got[id] or 0}
      end
      if flat[o + 3] > 0 then
        alive[id] = true
        local at = #rest
        if at == 0 then rest[1], at = flat[1], 1 end
        for i = 0, flat[1] - 1 do rest[at + 1 + i] = flat[o + i] end
        if taken[e] then rest[at + 6] = now end
      end
    end
    member[4] = rest[1] and pack(unroll(rest)) or ''
    return rest[1] ~= nil, served
  end

  local function back(dim, missing, open)  -- when so many units more will be there
    if missing <= 0 then return 0 end
    local measure, ticks = shape(dim)
    if dim[1] == BUCKET then
      if open <= 0 then return HOUR_US end
      local short = min(missing, floor(LOTS / ticks)) * ticks - dim[7] % ticks
      return floor(min(HOUR_US, -floor(-short / dim[2]) * measure) * FREE / open)
    elseif dim[1] == LOG then
      return missing > dim[7] and RENEW_US or log_freed(dim, missing, measure, ticks)
    elseif dim[1] == SUM then
      return missing <= dim[6] and RENEW_US or max(0, dim[8] - now)
    end
    return floor(RENEW_US / 10)
  end

  local function wait(fund, heap, virtual, left, depths, main, open)  -- until the first of its own calls fits
    local ahead = {}
    for d = 1, #left do ahead[d] = 0 end
    for _ = 1, LOOK do
      local group = heap[1]
      if not group then return LEAST_US end
      local e = group.head
      local flat, o = lists[e], offsets[e] + 5
      if group.key ~= virtual[group.id] then
        group.key = virtual[group.id]
      elseif e >= first and e <= last then
        local longest = LEAST_US
        for d, dim in ipairs(fund[8]) do
          if depths[d].most < LOTS and flat[o + d] > 0 then
            local need = ahead[d] + needed(e, d, main, depths[d].most)
            longest = max(longest, back(dim, need - left[d], open))
          end
        end
        return longest
      else
        for d = 1, #left do ahead[d] = ahead[d] + flat[o + d] end
        group.key = group.key + service(e, main)
        virtual[group.id] = group.key
        flat[o - 2] = flat[o - 2] - 1
        rotate(group)
      end
      leave(heap, group)
    end
    return RENEW_US
  end

  return waiting, known_flows, catch_up, divide, keep, wait
end
