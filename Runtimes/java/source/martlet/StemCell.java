// The wait of a stem cell: this machine was started before it was known whose it will be, and asks. What a start costs is
// spent meanwhile: our classes are loaded, and a handler of our own is called. Nothing here may ask for a variable, a
// time zone or a locale: what is known of these by then would stay.
package martlet;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

final class StemCell {
  /** Nothing but the rehearsal, for an archive of what it has loaded. */
  static final String REHEARSAL = "--martlet-rehearsal";
  private static final String ARGUMENT = "--martlet-stem";
  private static final String RUNTIME = "/var/runtime/";
  private static final String TASK = "/var/task";
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

  /** The connection by which the cell has heard whose it is. */
  final RuntimeClient client;
  /** With the function's classes, if the cell was one of this function's from the beginning; else null. */
  final FunctionLoader loader;

  private StemCell(RuntimeClient client, FunctionLoader loader) {
    this.client = client;
    this.loader = loader;
  }

  /**
   * Returns when directory and variables are the function's.
   *
   * @param layers where layers are
   */
  static StemCell becomeSomebodys(String layers) throws Throwable {
    String command = System.getProperty("sun.java.command", "");
    if (command.endsWith(ARGUMENT)) {
      System.setProperty("sun.java.command", command.substring(0, command.length() - ARGUMENT.length()).trim());
    }
    NativeVariables variables = new NativeVariables();
    rehearse();
    RuntimeClient client = new RuntimeClient(variables.value("AWS_LAMBDA_RUNTIME_API"));
    client.askForOrder();
    FunctionLoader loader = null;
    String handler = variables.value("_HANDLER");
    if (handler != null) {
      loader = new FunctionLoader(TASK, layers);
      try (Preloading preloading = new Preloading(loader)) {
        preloading.load(handler, client);
      }
    }
    List<byte[]> told = client.order();
    // The first one is the directory, where this process is already: it started in it, and init moves it there again
    // when something has been mounted upon it.
    variables.replace(told.subList(1, told.size()));
    return new StemCell(client, loader);
  }

  static void rehearseAll() throws Throwable {
    new FunctionLog();
    rehearse();
    try {
      new RuntimeClient("127.0.0.1:9001");
    } catch (IOException nobody) {
      // Loaded is what it needs to find out.
    }
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
