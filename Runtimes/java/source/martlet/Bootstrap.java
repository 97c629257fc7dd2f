// Martlet's Java runtime: the loop between the Runtime API and a handler. Java 8 and later, no dependencies.
package martlet;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

public final class Bootstrap {
  private Bootstrap() {}

  public static void main(String[] arguments) {
    try {
      if (arguments.length > 1 && arguments[1].equals(StemCell.REHEARSAL)) {
        StemCell.rehearseAll();
        return;
      }
      String layers = arguments.length > 0 ? arguments[0] : "/opt";
      StemCell cell = arguments.length > 1 ? StemCell.becomeSomebodys(layers) : null;
      FunctionLog log = new FunctionLog();
      RuntimeClient client = cell != null ? cell.client : new RuntimeClient(System.getenv("AWS_LAMBDA_RUNTIME_API"));
      FunctionLoader loader = cell == null ? null : cell.loader;
      if (loader == null) loader = new FunctionLoader(environment("LAMBDA_TASK_ROOT", "/var/task"), layers);
      Thread.currentThread().setContextClassLoader(loader);
      serve(client, initialize(client, loader, log), loader, log);
    } catch (Throwable gone) {
      System.err.println(gone);
      Runtime.getRuntime().halt(1);
    }
  }

  private static String environment(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null ? otherwise : value;
  }

  private static Handler initialize(RuntimeClient client, ClassLoader loader, FunctionLog log) throws IOException {
    String name = environment("_HANDLER", "");
    try {
      return Handler.find(name, loader);
    } catch (Throwable error) {
      Throwable shown = error instanceof ExceptionInInitializerError && error.getCause() != null ? error.getCause() : error;
      if (!(shown instanceof Fault)) {
        String message = "Error loading class " + name.split("::")[0] + (shown.getMessage() == null ? "" : ": " + shown.getMessage());
        Fault fault = new Fault(shown.getClass().getName(), message, shown.getCause());
        fault.setStackTrace(Report.frames(shown).toArray(new StackTraceElement[0]));
        shown = fault;
      }
      log.write(Report.text(shown).getBytes(StandardCharsets.UTF_8), "ERROR");
      client.post("init/error", json(shown), "application/json", "Lambda-Runtime-Function-Error-Type: Runtime.BadFunctionCode\r\n");
      System.exit(1);
      return null;
    }
  }

  private static byte[] json(Throwable error) {
    return JsonWriter.write(Report.document(error)).getBytes(StandardCharsets.UTF_8);
  }

  private static void serve(RuntimeClient client, Handler handler, FunctionLoader loader, FunctionLog log)
      throws IOException, ReflectiveOperationException {
    while (true) {
      RuntimeClient.Answer next = client.next();
      if (next.status != 200) throw new IOException("the Runtime API answered " + next.status + " to invocation/next");
      Map<String, String> headers = next.headers;
      String path = "invocation/" + headers.get("lambda-runtime-aws-request-id");
      log.begin(headers);
      String trace = headers.get("lambda-runtime-trace-id");
      if (trace == null) System.clearProperty("com.amazonaws.xray.traceHeader");
      else System.setProperty("com.amazonaws.xray.traceHeader", trace);
      byte[] answer;
      try {
        answer = handler.call(next.body, InvocationContext.make(headers, loader, log));
      } catch (Throwable error) {
        log.write(Report.text(error).getBytes(StandardCharsets.UTF_8), "ERROR");
        String type = Report.type(error).replaceAll("[^ -~]", " ");
        client.post(
            path + "/error", json(error), "application/json",
            "Lambda-Runtime-Function-Error-Type: " + type + "\r\n" + Report.xrayHeader(error));
        // A machine that ran out of something is not to be trusted with the next invocation.
        if (error instanceof VirtualMachineError) Runtime.getRuntime().halt(1);
        continue;
      }
      System.out.flush();
      client.post(path + "/response", answer, "application/json", "");
    }
  }
}
