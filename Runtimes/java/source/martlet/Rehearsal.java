// A handler of our own, which a machine that waits for its function calls so that what handlers need is loaded.
package martlet;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;

public final class Rehearsal implements RequestHandler<Rehearsal.Event, Map<String, Object>> {
  /** As in {@link #EVENT}. */
  public static final class Event {
    private String name;
    private List<Map<String, Object>> records;
    private int count;

    public String getName() {
      return name;
    }

    public void setName(String value) {
      name = value;
    }

    public List<Map<String, Object>> getRecords() {
      return records;
    }

    public void setRecords(List<Map<String, Object>> value) {
      records = value;
    }

    public int getCount() {
      return count;
    }

    public void setCount(int value) {
      count = value;
    }
  }

  static final String EVENT =
      "{\"name\":\"a\\u00e9\\n\",\"count\":3,\"Records\":[{\"number\":2.5,\"big\":12345678901,\"none\":null,\"is\":true,\"deep\":{\"a\":[1,[],{}]}}]}";

  @Override
  public Map<String, Object> handleRequest(Event event, Context context) {
    Map<String, Object> answer = new java.util.LinkedHashMap<>();
    answer.put("event", event);
    answer.put("id", context.getAwsRequestId());
    return answer;
  }

  public static Object values(Map<String, Object> event) {
    return event;
  }

  public static void streams(InputStream input, OutputStream output, Context context) throws IOException {
    for (int next = input.read(); next >= 0; next = input.read()) output.write(next);
  }
}
