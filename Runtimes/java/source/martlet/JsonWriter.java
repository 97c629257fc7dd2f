// Objects to JSON text: values of the language, collections, and the properties of everything else.
package martlet;

import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Calendar;
import java.util.Date;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

final class JsonWriter {
  static final class Unwritable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unwritable(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private static final int DEEPEST = 1000;
  private final StringBuilder text = new StringBuilder();
  private int depth;

  private JsonWriter() {}

  static String write(Object value) {
    JsonWriter writer = new JsonWriter();
    writer.value(value);
    return writer.text.toString();
  }

  private void value(Object value) {
    if (value == null || value instanceof Boolean) {
      text.append(value);
    } else if (value instanceof CharSequence || value instanceof Character) {
      string(value.toString());
    } else if (value instanceof Number) {
      number((Number) value);
    } else if (value instanceof Enum) {
      string(((Enum<?>) value).name());
    } else {
      if (++depth > DEEPEST) throw new Unwritable("Infinite recursion, at an object of " + value.getClass().getName(), null);
      structure(value);
      depth--;
    }
  }

  private void number(Number number) {
    double value = number.doubleValue();
    boolean fraction = number instanceof Double || number instanceof Float;
    if (fraction && (Double.isNaN(value) || Double.isInfinite(value))) string(number.toString());
    else text.append(number);
  }

  private void structure(Object value) {
    if (value instanceof Map) map((Map<?, ?>) value);
    else if (value instanceof Iterable && !(value instanceof java.nio.file.Path)) list(((Iterable<?>) value).iterator());
    else if (value instanceof Iterator) list((Iterator<?>) value);
    else if (value instanceof byte[]) string(Base64.getEncoder().encodeToString((byte[]) value));
    else if (value instanceof char[]) string(new String((char[]) value));
    else if (value.getClass().isArray()) array(value);
    else if (value instanceof ByteBuffer) buffer(((ByteBuffer) value).duplicate());
    else if (value instanceof Date) text.append(((Date) value).getTime());
    else if (value instanceof Calendar) text.append(((Calendar) value).getTimeInMillis());
    else if (value instanceof Optional) value(((Optional<?>) value).orElse(null));
    else if (value instanceof OptionalInt) value(((OptionalInt) value).isPresent() ? ((OptionalInt) value).getAsInt() : null);
    else if (value instanceof OptionalLong) value(((OptionalLong) value).isPresent() ? ((OptionalLong) value).getAsLong() : null);
    else if (value instanceof OptionalDouble) value(((OptionalDouble) value).isPresent() ? ((OptionalDouble) value).getAsDouble() : null);
    else if (value instanceof Class) string(((Class<?>) value).getName());
    else if (isText(value)) string(value.toString());
    else bean(value);
  }

  /** Types of the platform whose meaning is their text, and the dates of a well-known library in event types. */
  private static boolean isText(Object value) {
    String name = value.getClass().getName();
    return value instanceof java.time.temporal.TemporalAccessor || value instanceof java.time.temporal.TemporalAmount
        || value instanceof java.nio.file.Path || value instanceof java.time.ZoneId
        || name.startsWith("java.util.concurrent.atomic.") || name.startsWith("java.net.") || name.startsWith("java.io.File")
        || name.equals("java.util.UUID") || name.equals("java.util.Locale") || name.equals("java.util.Currency")
        || name.startsWith("org.joda.time.");
  }

  private void buffer(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    string(Base64.getEncoder().encodeToString(bytes));
  }

  private void map(Map<?, ?> map) {
    text.append('{');
    String separator = "";
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      text.append(separator);
      if (entry.getKey() == null) throw new Unwritable("Null key for a Map not allowed in JSON", null);
      string(entry.getKey() instanceof Enum ? ((Enum<?>) entry.getKey()).name() : entry.getKey().toString());
      text.append(':');
      value(entry.getValue());
      separator = ",";
    }
    text.append('}');
  }

  private void list(Iterator<?> elements) {
    text.append('[');
    String separator = "";
    while (elements.hasNext()) {
      text.append(separator);
      value(elements.next());
      separator = ",";
    }
    text.append(']');
  }

  private void array(Object array) {
    text.append('[');
    for (int index = 0; index < Array.getLength(array); index++) {
      if (index > 0) text.append(',');
      value(Array.get(array, index));
    }
    text.append(']');
  }

  private void bean(Object bean) {
    text.append('{');
    String separator = "";
    for (Properties.Property property : Properties.of(bean.getClass()).byName.values()) {
      if (!property.isRead()) continue;
      text.append(separator);
      string(property.name);
      text.append(':');
      try {
        value(property.get(bean));
      } catch (InvocationTargetException thrown) {
        throw new Unwritable(String.valueOf(thrown.getCause()), thrown.getCause());
      } catch (ReflectiveOperationException error) {
        throw new Unwritable("Can not read " + bean.getClass().getName() + "[\"" + property.name + "\"]", error);
      }
      separator = ",";
    }
    text.append('}');
  }

  private void string(String string) {
    text.append('"');
    int start = 0;
    for (int at = 0; at < string.length(); at++) {
      char next = string.charAt(at);
      if (next >= ' ' && next != '"' && next != '\\') continue;
      text.append(string, start, at);
      start = at + 1;
      int simple = "\"\\\b\f\n\r\t".indexOf(next);
      if (simple >= 0) text.append('\\').append("\"\\bfnrt".charAt(simple));
      else text.append(String.format("\\u%04x", (int) next));
    }
    text.append(string, start, string.length()).append('"');
  }
}
