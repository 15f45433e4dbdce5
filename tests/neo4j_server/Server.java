import java.nio.file.Path;
import java.util.Map;
import org.neo4j.configuration.GraphDatabaseSettings;
import org.neo4j.harness.Neo4j;
import org.neo4j.harness.Neo4jBuilders;

/** Starts a server on a free port of the loopback address, prints its address, ends with its standard input. */
public final class Server {
    private Server() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        String password = arguments[1];
        try (Neo4j server = Neo4jBuilders.newInProcessBuilder(folder)
                .withDisabledServer()
                .withConfig(GraphDatabaseSettings.auth_enabled, true)
                .build()) {
            server.databaseManagementService()
                    .database("system")
                    .executeTransactionally(
                            "ALTER USER neo4j SET PASSWORD $password CHANGE NOT REQUIRED",
                            Map.of("password", password));
            System.out.println("bolt " + server.boltURI().getHost() + " " + server.boltURI().getPort());
            System.out.flush();
            while (System.in.read() != -1) {
                // Nobody writes here: the stream ends when the tests end, however they end.
            }
        }
    }
}
