// The function's log: what its logger says, and the errors that end its invocations.
package martlet;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UnsupportedEncodingException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

final class FunctionLog {
  private static final List<String> LEVELS = Arrays.asList("UNDEFINED", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL");
  private static final int FRAME_TEXT = 0xa55a0003;
  private static final int FRAME_JSON = 0xa55a0002;
  private final boolean isJson = "JSON".equals(System.getenv("AWS_LAMBDA_LOG_FORMAT"));
  private final int threshold = Math.max(0, LEVELS.indexOf(String.valueOf(System.getenv("AWS_LAMBDA_LOG_LEVEL"))));
  /** Takes framed records; null = standard output, line by line. */
  private final OutputStream frames;
  private volatile String requestId;
  private volatile String tenantId;

  FunctionLog() throws UnsupportedEncodingException {
    System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8"));
    System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), true, "UTF-8"));
    frames = framed(System.getenv("_LAMBDA_TELEMETRY_LOG_FD"));
  }

  private static OutputStream framed(String descriptor) {
    if (descriptor == null) return null;
    try {
      return new FileOutputStream("/proc/self/fd/" + Integer.parseInt(descriptor), true);
    } catch (IOException | NumberFormatException error) {
      return null;
    }
  }

  void begin(Map<String, String> headers) {
    requestId = headers.get("lambda-runtime-aws-request-id");
    tenantId = headers.get("lambda-runtime-aws-tenant-id");
  }

  void write(byte[] message, String level) {
    if (isJson && LEVELS.indexOf(level) < threshold && !level.equals("UNDEFINED")) return;
    if (!isJson) {
      put(message, FRAME_TEXT, level);
      return;
    }
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
    line.put("message", new String(message, StandardCharsets.UTF_8));
    line.put("level", level.equals("UNDEFINED") ? null : level);
    line.put("AWSRequestId", requestId);
    line.put("tenantId", tenantId);
    line.values().removeIf(value -> value == null);
    put(JsonWriter.write(line).getBytes(StandardCharsets.UTF_8), FRAME_JSON, level);
  }

  private synchronized void put(byte[] message, int kind, String level) {
    System.out.flush();
    try {
      if (frames == null) {
        // One record must not run into the next.
        boolean ended = message.length > 0 && message[message.length - 1] == '\n';
        byte[] line = ended ? message : Arrays.copyOf(message, message.length + 1);
        if (!ended) line[message.length] = '\n';
        System.out.write(line, 0, line.length);
        System.out.flush();
        return;
      }
      Instant now = Instant.now();
      ByteBuffer frame = ByteBuffer.allocate(16 + message.length);
      frame.putInt(kind + 4 * Math.max(0, LEVELS.indexOf(level))).putInt(message.length);
      frame.putLong(now.getEpochSecond() * 1_000_000 + now.getNano() / 1000).put(message);
      frames.write(frame.array());
    } catch (IOException gone) {
      // Nobody reads the log any longer; the function goes on.
    }
  }
}
