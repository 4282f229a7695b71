-- A log: units by slot, in three parts, so that an exchange reads and writes its two ends only.

local function insert(list, slot, units)
  for i = 1, #list, 2 do
    if list[i] == slot then
      list[i + 1] = list[i + 1] + units
      return
    elseif list[i] > slot then
      table.insert(list, i, units)
      table.insert(list, i, slot)
      return
    end
  end
  list[#list + 1] = slot
  list[#list + 1] = units
end

local function log_add(dim, slot, units)
  local head, mid, tail = dim[10], dim[11], dim[12]
  dim[7] = dim[7] + units
  local count = #tail
  if count > 0 and tail[count - 1] == slot then
    tail[count] = tail[count] + units
  elseif #mid == 0 and #head == 0 or count > 0 and slot >= tail[1] or #mid == 0 and slot > head[#head - 1] then
    insert(tail, slot, units)
  elseif #mid > 0 and (slot >= mid[1] or #head == 0) then
    local at = #mid - 2
    while at > 1 and mid[at] > slot do at = at - 3 end
    local list = unpack(mid[at + 2])
    insert(list, slot, units)
    mid[at], mid[at + 1], mid[at + 2] = list[1], mid[at + 1] + units, pack(list)
  else
    insert(head, slot, units)
  end
  if #tail > CHUNK then  -- its last slot stays, so that later ones find it
    local slot_of_last, last, sum = tail[#tail - 1], table.remove(tail), 0
    table.remove(tail)
    for i = 2, #tail, 2 do sum = sum + tail[i] end
    mid[#mid + 1] = tail[1]
    mid[#mid + 1] = sum
    mid[#mid + 1] = pack(tail)
    dim[12] = {slot_of_last, last}
  end
end

local function log_expire(dim, slot_us, span)
  while true do
    if #dim[10] == 0 then
      local mid = dim[11]
      if #mid > 0 then
        dim[10] = unpack(mid[3])
        for _ = 1, 3 do table.remove(mid, 1) end
      else
        dim[10], dim[12] = dim[12], dim[10]
      end
    end
    local head, gone = dim[10], 0
    while gone < #head and (head[gone + 1] + 1) * slot_us + span <= now do
      dim[7] = dim[7] - head[gone + 2]
      gone = gone + 2
    end
    if gone == 0 then return end
    local kept = {}
    for i = gone + 1, #head do kept[#kept + 1] = head[i] end
    dim[10] = kept
    if #kept > 0 then return end
  end
end

local function log_all(dim)
  local all = {}
  local function put(list)
    for i = 1, #list do all[#all + 1] = list[i] end
  end
  put(dim[10])
  for i = 3, #dim[11], 3 do put(unpack(dim[11][i])) end
  put(dim[12])
  return all
end

local function log_set(dim, all)
  dim[7], dim[10], dim[11], dim[12] = 0, {}, {}, {}
  for i = 1, #all, 2 do log_add(dim, all[i], all[i + 1]) end
end

local function log_freed(dim, missing, slot_us, span)  -- when so much will have left
  local function within(list)
    for i = 1, #list, 2 do
      missing = missing - list[i + 1]
      if missing <= 0 then return (list[i] + 1) * slot_us + span - now end
    end
  end
  local wait = within(dim[10])
  if wait then return wait end
  for i = 3, #dim[11], 3 do
    wait = within(unpack(dim[11][i]))
    if wait then return wait end
  end
  return within(dim[12]) or RENEW_US
end
