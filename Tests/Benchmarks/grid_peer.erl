%% The same work in Erlang: distributed nodes on this machine, 100-byte bodies. Prints "name value" lines.
-module(grid_peer).
-export([serve/0, run/2]).

serve() ->
  register(echo, spawn(fun echo/0)),
  register(sink, spawn(fun() -> sink(0) end)),
  receive stop -> ok end.

echo() -> receive {From, Number, Body} -> From ! {Number, Body}, echo() end.

sink(Count) ->
  receive
    {count, From} -> From ! {count, Count}, sink(Count);
    _Body -> sink(Count + 1)
  end.

run(Node, Count) ->
  pong = net_adm:ping(Node),
  Body = binary:copy(<<"x">>, 100),
  Echo = {echo, Node},
  _ = [ask(Echo, Number, Body) || Number <- lists:seq(1, 2000)],
  Times = lists:sort([element(1, timer:tc(fun() -> ask(Echo, Number, Body) end)) || Number <- lists:seq(1, 20000)]),
  io:format("erlang_ask_p50_us ~p~n", [lists:nth(10000, Times)]),
  Asks = 200000,
  {Asking, ok} = timer:tc(fun() -> flight(Echo, Body, 64, 0, Asks) end),
  io:format("erlang_ask_64_per_s ~p~n", [round(Asks * 1000000 / Asking)]),
  {Telling, ok} = timer:tc(fun() -> tell({sink, Node}, Body, Count) end),
  io:format("erlang_tell_per_s ~p~n", [round(Count * 1000000 / Telling)]),
  halt().

ask(Echo, Number, Body) -> Echo ! {self(), Number, Body}, receive {Number, _} -> ok end.

flight(_, _, _, Done, Done) -> ok;
flight(Echo, Body, Room, Done, All) when Room > 0, Done < All ->
  Echo ! {self(), Done, Body}, flight(Echo, Body, Room - 1, Done, All);
flight(Echo, Body, 0, Done, All) -> receive {_, _} -> flight(Echo, Body, 1, Done + 1, All) end.

%% Counted at the receiver: the answer to count comes after every message before it.
tell(Sink, Body, Count) ->
  Before = counted(Sink),
  send(Sink, Body, Count),
  Count = counted(Sink) - Before,
  ok.

counted(Sink) -> Sink ! {count, self()}, receive {count, Count} -> Count end.

send(_, _, 0) -> ok;
send(Sink, Body, Left) -> Sink ! Body, send(Sink, Body, Left - 1).
