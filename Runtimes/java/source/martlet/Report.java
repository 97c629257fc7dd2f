// A failure as AWS's JSON, without the frames of this program in its traces.
package martlet;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

final class Report {
  private static final int MOST_CAUSES = 20;
  private static final int XRAY_BYTES = 60 * 1024;

  private Report() {}

  static Map<String, Object> document(Throwable error) {
    return document(error, 0);
  }

  private static Map<String, Object> document(Throwable error, int depth) {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("errorMessage", message(error));
    document.put("errorType", type(error));
    List<String> trace = new ArrayList<>();
    for (StackTraceElement frame : frames(error)) trace.add(frame.toString());
    boolean bare = error instanceof Fault && error.getCause() == null;
    if (!bare) document.put("stackTrace", trace);
    if (error.getCause() != null && error.getCause() != error && depth < MOST_CAUSES) {
      document.put("cause", document(error.getCause(), depth + 1));
    }
    return document;
  }

  static String type(Throwable error) {
    return error instanceof Fault ? ((Fault) error).errorType : error.getClass().getName();
  }

  private static String message(Throwable error) {
    String message = error.getLocalizedMessage();
    return message == null ? error.getClass().getName() : message;
  }

  /** Up to where this program called the function. */
  static List<StackTraceElement> frames(Throwable error) {
    List<StackTraceElement> frames = Arrays.asList(error.getStackTrace());
    int end = 0;
    while (end < frames.size() && !frames.get(end).getClassName().startsWith("martlet.")) end++;
    if (end == frames.size()) return frames;
    while (end > 0 && isReflection(frames.get(end - 1).getClassName())) end--;
    return frames.subList(0, end);
  }

  private static boolean isReflection(String name) {
    return name.startsWith("java.lang.reflect.") || name.startsWith("jdk.internal.reflect.") || name.startsWith("sun.reflect.")
        || name.startsWith("java.lang.invoke.") || name.equals("java.lang.Class");
  }

  /** As it stands in the log. */
  static String text(Throwable error) {
    StringBuilder text = new StringBuilder(message(error)).append(": ").append(type(error)).append('\n');
    for (StackTraceElement frame : frames(error)) text.append("\tat ").append(frame).append('\n');
    Throwable cause = error.getCause();
    for (int depth = 0; cause != null && depth < MOST_CAUSES; depth++, cause = cause.getCause()) {
      text.append("Caused by: ").append(type(cause));
      if (cause.getLocalizedMessage() != null) text.append(": ").append(cause.getLocalizedMessage());
      text.append('\n');
      for (StackTraceElement frame : frames(cause)) text.append("\tat ").append(frame).append('\n');
    }
    return text.toString();
  }

  /** A header line for X-Ray, or nothing if it would be too long. */
  static String xrayHeader(Throwable error) {
    List<Object> stack = new ArrayList<>();
    for (StackTraceElement frame : frames(error)) {
      Map<String, Object> place = new LinkedHashMap<>();
      place.put("label", frame.getMethodName());
      place.put("path", frame.getFileName());
      place.put("line", frame.getLineNumber());
      stack.add(place);
    }
    Map<String, Object> exception = new LinkedHashMap<>();
    exception.put("message", message(error));
    exception.put("type", type(error));
    exception.put("stack", stack);
    Map<String, Object> cause = new LinkedHashMap<>();
    cause.put("working_directory", System.getProperty("user.dir"));
    cause.put("exceptions", Arrays.asList(exception));
    cause.put("paths", new ArrayList<>());
    StringBuilder value = new StringBuilder();
    for (char next : JsonWriter.write(cause).toCharArray()) {
      if (next < 0x7f) value.append(next);
      else value.append(String.format("\\u%04x", (int) next));
    }
    return value.length() > XRAY_BYTES ? "" : "Lambda-Runtime-Function-XRay-Error-Cause: " + value + "\r\n";
  }
}
