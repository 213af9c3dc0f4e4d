// Tag, over UDP: whoever is it runs after the others. Datagrams come when they come, and the game goes on by its heartbeats.

context Worker;              // each thread's, lent to the nodes that it runs
typedef hello IsHello;       // somebody asks for a token
typedef wish  IsWish;        // a player says where to

Receive   () => (Packet packet);
Parse     (Packet packet) => (SocketAddr player, Message message);
Challenge (SocketAddr player, Message message) => ();
Steer     (SocketAddr player, Message message) => ();
Leave     (SocketAddr player, Message message) => ();
Ignore    (Packet packet) => ();
Wait      () => (Beat beat);
Advance   (Beat beat) => (Beat beat, Frame frame);
Broadcast (Beat beat, Frame frame) => ();

source Receive => Turn;
source Wait => Heartbeat;
Turn = Parse -> Act;
Act:[_, hello] = Challenge;
Act:[_, wish] = Steer;
Act:[_, _] = Leave;
Heartbeat = Advance -> Broadcast;
handle error Parse => Ignore;        // it is none of ours
atomic Steer:{board};
atomic Leave:{board};
atomic Advance:{board};
