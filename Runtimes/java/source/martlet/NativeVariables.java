// The variables of this process as the C library keeps them. Java reads them when somebody asks for the first one, and
// children get them: so changing them there, before, changes them everywhere. There is no method for that: `environ` is
// looked up in the library's file, and what it points to is compared with what the kernel knows before it is believed.
package martlet;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

final class NativeVariables {
  private static final int TYPE_DYNAMIC_SYMBOLS = 11;
  private static final int TYPE_LOAD = 1;
  private final Object unsafe;
  private final Method getAddress;
  private final Method putAddress;
  private final Method getByte;
  private final Method putByte;
  private final Method allocate;
  /** Where the pointer to the first variable's pointer is. */
  private final long environ;
  private final List<byte[]> first;

  /** - Throws: if they cannot be found. */
  NativeVariables() throws IOException, ReflectiveOperationException {
    unsafe = unsafe();
    Class<?> type = unsafe.getClass();
    getAddress = type.getMethod("getAddress", long.class);
    putAddress = type.getMethod("putAddress", long.class, long.class);
    getByte = type.getMethod("getByte", long.class);
    putByte = type.getMethod("putByte", long.class, byte.class);
    allocate = type.getMethod("allocateMemory", long.class);
    first = split(read("/proc/self/environ"));
    environ = find();
    if (environ == 0 || !isTheList(address(environ))) throw new IOException("the C library's variables are not where they were looked for");
    // The same once more, so that it is fast when it is due.
    replace(first);
    if (!isTheList(address(environ))) throw new IOException("the C library's variables do not change");
  }

  /** Java's own where this machine was told to let us, else the one for everybody, with which newer machines find fault. */
  private static Object unsafe() throws ReflectiveOperationException {
    try {
      return Class.forName("jdk.internal.misc.Unsafe").getMethod("getUnsafe").invoke(null);
    } catch (ReflectiveOperationException closed) {
      Field field = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe");
      field.setAccessible(true);
      return field.get(null);
    }
  }

  /** Of a variable with which this process was started; null if there was none. */
  String value(String name) {
    for (byte[] variable : first) {
      String text = new String(variable, StandardCharsets.UTF_8);
      if (text.startsWith(name + "=")) return text.substring(name.length() + 1);
    }
    return null;
  }

  /** `variables`: each as NAME=VALUE. What was before is not freed: somebody may hold it. */
  void replace(List<byte[]> variables) throws ReflectiveOperationException {
    long size = 8L * (variables.size() + 1);
    for (byte[] variable : variables) size += variable.length + 1;
    long list = (Long) allocate.invoke(unsafe, size);
    long text = list + 8L * (variables.size() + 1);
    for (int index = 0; index < variables.size(); index++) {
      putAddress.invoke(unsafe, list + 8L * index, text);
      for (byte next : variables.get(index)) putByte.invoke(unsafe, text++, next);
      putByte.invoke(unsafe, text++, (byte) 0);
    }
    putAddress.invoke(unsafe, list + 8L * variables.size(), 0L);
    putAddress.invoke(unsafe, environ, list);
  }

  static List<byte[]> split(byte[] text) {
    List<byte[]> parts = new ArrayList<>();
    int begin = 0;
    for (int index = 0; index < text.length; index++) {
      if (text[index] != 0) continue;
      parts.add(Arrays.copyOfRange(text, begin, index));
      begin = index + 1;
    }
    return parts;
  }

  private long address(long at) throws ReflectiveOperationException {
    return (Long) getAddress.invoke(unsafe, at);
  }

  /** Does a list of pointers lie there whose texts are what the kernel says that this process was started with? */
  private boolean isTheList(long list) throws ReflectiveOperationException {
    if (list == 0) return false;
    for (int index = 0; index < first.size(); index++) {
      long text = address(list + 8L * index);
      if (text == 0) return false;
      byte[] variable = first.get(index);
      for (int at = 0; at < variable.length; at++) if ((Byte) getByte.invoke(unsafe, text + at) != variable[at]) return false;
      if ((Byte) getByte.invoke(unsafe, text + variable.length) != 0) return false;
    }
    return address(list + 8L * first.size()) == 0;
  }

  /** The address of `environ`; 0. */
  private static long find() throws IOException {
    for (String line : new String(read("/proc/self/maps"), StandardCharsets.UTF_8).split("\n")) {
      // 7f0000000000-7f0000026000 r--p 00000000 fe:01 123   /usr/lib/x86_64-linux-gnu/libc.so.6
      String[] words = line.split(" +", 6);
      if (words.length < 6 || Long.parseLong(words[2], 16) != 0) continue;
      String name = words[5].substring(words[5].lastIndexOf('/') + 1);
      if (!name.startsWith("libc.so") && !name.startsWith("libc-2") && !name.startsWith("ld-musl")) continue;
      return find(words[5], Long.parseLong(words[0].substring(0, words[0].indexOf('-')), 16));
    }
    return 0;
  }

  /** `base`: where the library's first byte is. See elf(5); all machines that Java has here are of 64 bits. */
  private static long find(String library, long base) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(library, "r")) {
      ByteBuffer header = part(file, 0, 64);
      if (header.getInt(0) != (header.order() == ByteOrder.LITTLE_ENDIAN ? 0x464c457f : 0x7f454c46) || header.get(4) != 2) return 0;
      ByteBuffer segments = part(file, header.getLong(32), header.getShort(54) * header.getShort(56));
      for (int at = 0; at < segments.capacity(); at += header.getShort(54)) {
        if (segments.getInt(at) != TYPE_LOAD) continue;
        base -= segments.getLong(at + 16) - segments.getLong(at + 8);
        break;
      }
      ByteBuffer sections = part(file, header.getLong(40), header.getShort(58) * header.getShort(60));
      for (int at = 0; at < sections.capacity(); at += header.getShort(58)) {
        if (sections.getInt(at + 4) != TYPE_DYNAMIC_SYMBOLS) continue;
        ByteBuffer symbols = part(file, sections.getLong(at + 24), sections.getLong(at + 32));
        int linked = sections.getInt(at + 40) * header.getShort(58);
        ByteBuffer names = part(file, sections.getLong(linked + 24), sections.getLong(linked + 32));
        for (int symbol = 0; symbol < symbols.capacity(); symbol += 24) {
          if (isEnviron(names, symbols.getInt(symbol)) && symbols.getShort(symbol + 6) != 0) return base + symbols.getLong(symbol + 8);
        }
      }
      return 0;
    }
  }

  private static boolean isEnviron(ByteBuffer names, int at) {
    String name = "environ\0";
    for (int index = 0; index < name.length(); index++) if (names.get(at + index) != name.charAt(index)) return false;
    return true;
  }

  private static ByteBuffer part(RandomAccessFile file, long from, long size) throws IOException {
    byte[] bytes = new byte[(int) size];
    file.seek(from);
    file.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  private static byte[] read(String path) throws IOException {
    try (InputStream stream = new FileInputStream(path)) {
      return FunctionLoader.everything(stream);
    }
  }
}
