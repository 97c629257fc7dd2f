// HTTP/1.1 with the Runtime API on one kept connection. The API gone is the end of this process.
package martlet;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

final class RuntimeClient {
  static final class Answer {
    final int status;
    /** Names in lower case. */
    final Map<String, String> headers;
    final byte[] body;

    Answer(int status, Map<String, String> headers, byte[] body) {
      this.status = status;
      this.headers = headers;
      this.body = body;
    }
  }

  private static final String PREFIX = "/2018-06-01/runtime/";
  private final String address;
  private final String commonHead;
  private final InputStream input;
  private final OutputStream output;

  RuntimeClient(String address) throws IOException {
    this.address = address;
    commonHead =
        "Host: " + address + "\r\nUser-Agent: aws-lambda-java/" + System.getProperty("java.version") + "-martlet\r\n";
    int colon = address.lastIndexOf(':');
    // Without a proxy, whatever a function's properties say; and nothing is loaded to find out.
    Socket socket = new Socket(Proxy.NO_PROXY);
    socket.connect(new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))));
    socket.setTcpNoDelay(true);
    input = new BufferedInputStream(socket.getInputStream(), 65536);
    output = socket.getOutputStream();
  }

  Answer next() throws IOException {
    output.write(("GET " + PREFIX + "invocation/next HTTP/1.1\r\n" + commonHead + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    return receive();
  }

  /** Asks what a stem cell is to become; the answer comes when that is known, which may be hours. */
  void askForOrder() throws IOException {
    output.write(("GET /_martlet/order HTTP/1.1\r\n" + commonHead + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
  }

  /** True if what was asked for has come, or begins to. */
  boolean hasAnswer() throws IOException {
    return input.available() > 0;
  }

  /** What was asked for: a directory and variables. */
  List<byte[]> order() throws IOException {
    Answer answer = receive();
    if (answer.status != 200) throw new IOException("the Runtime API answered " + answer.status + " to order");
    return NativeVariables.split(answer.body);
  }

  /** `moreHead`: whole header lines. */
  void post(String path, byte[] body, String contentType, String moreHead) throws IOException {
    byte[] head =
        ("POST " + PREFIX + path + " HTTP/1.1\r\n" + commonHead + "Content-Type: " + contentType + "\r\n" + moreHead
                + "Content-Length: " + body.length + "\r\n\r\n")
            .getBytes(StandardCharsets.ISO_8859_1);
    if (body.length <= 65536) {
      byte[] whole = new byte[head.length + body.length];
      System.arraycopy(head, 0, whole, 0, head.length);
      System.arraycopy(body, 0, whole, head.length, body.length);
      output.write(whole);
    } else {
      output.write(head);
      output.write(body);
    }
    int status = receive().status;
    if (status >= 500) throw new IOException("the Runtime API at " + address + " answered " + status + " to " + path);
  }

  private Answer receive() throws IOException {
    String[] first = line().split(" ");
    if (first.length < 2) throw new IOException("the Runtime API at " + address + " does not speak HTTP");
    Map<String, String> headers = new HashMap<>();
    for (String field = line(); !field.isEmpty(); field = line()) {
      int colon = field.indexOf(':');
      if (colon > 0) headers.put(field.substring(0, colon).trim().toLowerCase(Locale.ROOT), field.substring(colon + 1).trim());
    }
    byte[] body;
    if ("chunked".equalsIgnoreCase(headers.get("transfer-encoding"))) {
      ByteArrayOutputStream pieces = new ByteArrayOutputStream();
      for (int size = chunk(); size > 0; size = chunk()) {
        pieces.write(take(size), 0, size);
        line();
      }
      while (!line().isEmpty()) continue;
      body = pieces.toByteArray();
    } else {
      body = take(Integer.parseInt(headers.getOrDefault("content-length", "0")));
    }
    return new Answer(Integer.parseInt(first[1]), headers, body);
  }

  private int chunk() throws IOException {
    return Integer.parseInt(line().split(";")[0].trim(), 16);
  }

  private byte[] take(int count) throws IOException {
    byte[] bytes = new byte[count];
    for (int have = 0; have < count; ) {
      int more = input.read(bytes, have, count - have);
      if (more < 0) throw new EOFException("the Runtime API closed the connection");
      have += more;
    }
    return bytes;
  }

  /** A line without its end. */
  private String line() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(128);
    for (int next = input.read(); next != '\n'; next = input.read()) {
      if (next < 0) throw new EOFException("the Runtime API closed the connection");
      if (next != '\r') bytes.write(next);
    }
    return new String(bytes.toByteArray(), StandardCharsets.UTF_8);
  }
}
