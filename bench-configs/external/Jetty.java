import java.net.InetSocketAddress;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.ResourceHandler;

/** Serves the files under a root, and nothing else. */
public class Jetty {
    /** Arguments: root, address, port. */
    public static void main(String[] arguments) throws Exception {
        Server server = new Server(new InetSocketAddress(arguments[1], Integer.parseInt(arguments[2])));
        ResourceHandler files = new ResourceHandler();
        files.setResourceBase(arguments[0]);
        files.setDirectoriesListed(false);
        server.setHandler(files);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
        server.start();
        server.join();
    }
}
