// JSON text to Map, List, String, Integer, Long, BigInteger, Double, Boolean and null.
package martlet;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

final class JsonReader {
  static final class Malformed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Malformed(String message) {
      super(message);
    }
  }

  private static final int DEEPEST = 1000;
  private final String text;
  private int at;
  private int depth;

  private JsonReader(String text) {
    this.text = text;
  }

  static Object read(String text) {
    JsonReader reader = new JsonReader(text);
    reader.space();
    Object value = reader.value();
    reader.space();
    if (reader.at < text.length()) throw reader.malformed("something follows the value");
    return value;
  }

  private Object value() {
    if (at >= text.length()) throw malformed("the text ends");
    char first = text.charAt(at);
    switch (first) {
      case '{':
        return object();
      case '[':
        return array();
      case '"':
        return string();
      case 't':
        return word("true", Boolean.TRUE);
      case 'f':
        return word("false", Boolean.FALSE);
      case 'n':
        return word("null", null);
      default:
        return number();
    }
  }

  private Object word(String word, Object meaning) {
    if (!text.startsWith(word, at)) throw malformed("an unknown word");
    at += word.length();
    return meaning;
  }

  private Map<String, Object> object() {
    Map<String, Object> object = new LinkedHashMap<>();
    deeper();
    if (take('}')) return object;
    do {
      space();
      if (at >= text.length() || text.charAt(at) != '"') throw malformed("a name is missing");
      String name = string();
      space();
      if (at >= text.length() || text.charAt(at++) != ':') throw malformed("a colon is missing");
      space();
      object.put(name, value());
    } while (more('}'));
    return object;
  }

  private List<Object> array() {
    List<Object> array = new ArrayList<>();
    deeper();
    if (take(']')) return array;
    do {
      space();
      array.add(value());
    } while (more(']'));
    return array;
  }

  private void deeper() {
    if (++depth > DEEPEST) throw malformed("too many levels");
    at++;
    space();
  }

  private boolean take(char end) {
    if (at >= text.length() || text.charAt(at) != end) return false;
    at++;
    depth--;
    return true;
  }

  private boolean more(char end) {
    space();
    if (take(end)) return false;
    if (at >= text.length() || text.charAt(at) != ',') throw malformed("a comma is missing");
    at++;
    return true;
  }

  private String string() {
    int start = ++at;
    StringBuilder built = null;
    while (at < text.length()) {
      char next = text.charAt(at++);
      if (next == '"') {
        String tail = text.substring(start, at - 1);
        return built == null ? tail : built.append(tail).toString();
      }
      if (next < ' ') throw malformed("a control character in a string");
      if (next != '\\') continue;
      if (built == null) built = new StringBuilder();
      built.append(text, start, at - 1).append(escape());
      start = at;
    }
    throw malformed("a string does not end");
  }

  private char escape() {
    if (at >= text.length()) throw malformed("a string does not end");
    char kind = text.charAt(at++);
    switch (kind) {
      case '"':
      case '\\':
      case '/':
        return kind;
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u':
        try {
          char code = (char) Integer.parseInt(text.substring(at, at + 4), 16);
          at += 4;
          return code;
        } catch (IndexOutOfBoundsException | NumberFormatException error) {
          throw malformed("a damaged escape");
        }
      default:
        throw malformed("an unknown escape");
    }
  }

  private Object number() {
    int start = at;
    boolean fraction = false;
    while (at < text.length()) {
      char next = text.charAt(at);
      if (next == '.' || next == 'e' || next == 'E') fraction = true;
      else if (!(next >= '0' && next <= '9' || next == '-' || next == '+')) break;
      at++;
    }
    String digits = text.substring(start, at);
    try {
      if (fraction) return Double.valueOf(digits);
      if (digits.length() < 10) return Integer.valueOf(digits);
      BigInteger whole = new BigInteger(digits);
      if (whole.bitLength() < 32) return whole.intValue();
      return whole.bitLength() < 64 ? (Object) whole.longValue() : whole;
    } catch (NumberFormatException error) {
      throw malformed(digits.isEmpty() ? "an unexpected character" : "a damaged number");
    }
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
  }

  private Malformed malformed(String what) {
    return new Malformed(what + ", at character " + at);
  }
}
