// The wait of a stem cell: this machine was started before it was known whose it will be, and asks. What a start costs is
// spent meanwhile: our classes are loaded, and a handler of our own is called. Nothing here may ask for a variable, a
// time zone or a locale: what is known of these by then would stay.
package martlet;

import java.io.File;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

final class StemCell {
  private static final String ARGUMENT = "--martlet-stem";
  private static final String RUNTIME = "/var/runtime/";
  private static final int ROUNDS = 40;
  /** Those of Java are loaded, but not initialised: that is done when a function asks for them. */
  private static final String[] WANTED = {
    "java.lang.ProcessEnvironment", "java.lang.ProcessEnvironment$ExternalData", "java.lang.ProcessEnvironment$Variable",
    "java.lang.ProcessEnvironment$Value", "java.lang.ProcessEnvironment$StringEnvironment", "java.lang.ProcessEnvironment$StringEntrySet",
    "java.lang.Process", "java.lang.ProcessImpl", "java.lang.ProcessImpl$LaunchMechanism", "java.util.TimeZone", "java.time.Instant", "java.time.Duration", "java.util.Date", "java.util.UUID", "java.util.Optional",
    "java.util.Base64", "java.util.stream.Collectors", "java.util.concurrent.CompletableFuture", "java.net.HttpURLConnection",
    "java.security.MessageDigest", "java.io.StringWriter", "java.io.PrintWriter", "martlet.Report", "martlet.Fault", "martlet.FunctionLog",
  };

  private static final String[] INTERFACES = {
    "Client", "ClientContext", "CognitoIdentity", "Context", "CustomPojoSerializer", "LambdaLogger", "LambdaRuntime", "RequestHandler",
    "RequestStreamHandler", "logging.LogLevel",
  };

  private StemCell() {}

  /** Returns when directory and variables are the function's, with the connection. */
  static RuntimeClient becomeSomebodys() throws Throwable {
    String command = System.getProperty("sun.java.command", "");
    if (command.endsWith(ARGUMENT)) {
      System.setProperty("sun.java.command", command.substring(0, command.length() - ARGUMENT.length()).trim());
    }
    NativeVariables variables = new NativeVariables();
    rehearse();
    RuntimeClient client = new RuntimeClient(variables.value("AWS_LAMBDA_RUNTIME_API"));
    List<byte[]> told = client.order();
    // The first one is the directory, where this process is already: it started in it, and init moves it there again
    // when something has been mounted upon it.
    variables.replace(told.subList(1, told.size()));
    return client;
  }

  private static void rehearse() throws Throwable {
    for (String name : WANTED) {
      try {
        Class.forName(name, name.startsWith("martlet."), StemCell.class.getClassLoader());
      } catch (ClassNotFoundException absent) {
        // Another version of Java has other names.
      }
    }
    try (FunctionLoader bare = new FunctionLoader(new URL[] {new File(RUNTIME).toURI().toURL()})) {
      for (String name : INTERFACES) bare.loadClass(FunctionLoader.INTERFACES + name);
      bare.getResource("bootstrap.jar");
    }
    URL jar = new File(RUNTIME + "bootstrap.jar").toURI().toURL();
    try (FunctionLoader loader = new FunctionLoader(new URL[] {new File(RUNTIME).toURI().toURL(), jar})) {
      Map<String, String> headers = new HashMap<>();
      headers.put("lambda-runtime-aws-request-id", "0");
      byte[] event = Rehearsal.EVENT.getBytes(StandardCharsets.UTF_8);
      for (String name : Arrays.asList("martlet.Rehearsal", "martlet.Rehearsal::values", "martlet.Rehearsal::streams")) {
        Handler handler = Handler.find(name, loader);
        for (int round = 0; round < ROUNDS; round++) handler.call(event, InvocationContext.make(headers, loader, null));
      }
    }
  }
}
