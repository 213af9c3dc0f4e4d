#!/usr/bin/env escript
%%! +S @cores@:@cores@
%% Filled in for each trial: document root, address and port, and as many schedulers as there are cores.
main([]) ->
    {ok, _} = application:ensure_all_started(inets),
    {ok, Address} = inet:parse_address("@address@"),
    {ok, _} = inets:start(httpd, [
        {bind_address, Address}, {port, @port@}, {server_name, "archbench"},
        {server_root, "@work@"}, {document_root, "@root@"},
        {modules, [mod_get, mod_head]}, {mime_types, [{"html", "text/html"}, {"txt", "text/plain"}]},
        {max_clients, 16384}, {keep_alive, true}, {keep_alive_timeout, 60}
    ]),
    receive stop -> ok end.
