// What a stem cell of one function does while it waits: it loads and links the classes to which the handler refers, those
// to which these refer, and so on, the nearest first. None is initialised, so no code of the function runs: that is left
// to the environment which the cell becomes, and costs less there.
package martlet;

import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

final class Preloading implements Closeable {
  /** For each MiB that the heap may have: classes take memory, too, and not all of these will be used. */
  private static final int CLASSES = 3;
  /** Bytes of garbage: what a heap has once taken of the host's memory it keeps. */
  private static final long GARBAGE = 8 << 20;
  private final FunctionLoader loader;
  /** Where the loader finds classes, as directories and open jars. */
  private final List<Object> places = new ArrayList<>();
  private final Set<String> seen = new HashSet<>();
  private final ArrayDeque<String> next = new ArrayDeque<>();

  Preloading(FunctionLoader loader) {
    this.loader = loader;
    for (URL url : loader.getURLs()) {
      try {
        File file = new File(url.toURI());
        places.add(file.isDirectory() ? file : new ZipFile(file));
      } catch (IOException | URISyntaxException damaged) {
        // Whoever needs it will hear of that.
      }
    }
  }

  /** Returns when everything is there, or enough is, or somebody wants to go on. */
  void load(String handler, RuntimeClient client) throws IOException {
    long room = Runtime.getRuntime().maxMemory() / (1 << 20) * CLASSES;
    long kept = used();
    add(handler.split("::", -1)[0]);
    try {
      while (!next.isEmpty() && room > 0 && !client.hasAnswer()) {
        if (link(next.poll())) room--;
        if (used() - kept > GARBAGE) kept = tidyUp();
      }
      // What this leaves behind is not for the function to tidy up.
      if (!client.hasAnswer()) tidyUp();
    } catch (VirtualMachineError scarce) {
      // As far as it came.
    }
  }

  @Override
  public void close() throws IOException {
    for (Object place : places) if (place instanceof ZipFile) ((ZipFile) place).close();
  }

  private static long used() {
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static long tidyUp() {
    System.gc();
    return used();
  }

  private void add(String name) {
    if (!name.isEmpty() && seen.add(name)) next.add(name);
  }

  /** True if it is one of the function's. */
  private boolean link(String name) {
    boolean isThere = false;
    try {
      Class<?> type = Class.forName(name, false, loader);
      if (type.getClassLoader() != loader) return false;
      isThere = true;
      // Who asks what there is has it linked, which is where it is verified; initialised it is not.
      type.getDeclaredConstructors();
      refer(code(name));
    } catch (ClassNotFoundException | LinkageError | IOException | RuntimeException damaged) {
      // The function will meet it as it would have, or never.
    }
    return isThere;
  }

  /** Null if it is ours. */
  private byte[] code(String name) throws IOException {
    String path = name.replace('.', '/') + ".class";
    for (Object place : places) {
      if (place instanceof File) {
        File file = new File((File) place, path);
        if (!file.isFile()) continue;
        try (InputStream stream = new FileInputStream(file)) {
          return FunctionLoader.everything(stream);
        }
      }
      ZipEntry entry = ((ZipFile) place).getEntry(path);
      if (entry == null) continue;
      try (InputStream stream = ((ZipFile) place).getInputStream(entry)) {
        return FunctionLoader.everything(stream);
      }
    }
    return null;
  }

  /**
   * Notes the classes that a class file names in its pool of constants
   * (https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html#jvms-4.4).
   */
  private void refer(byte[] code) throws IOException {
    if (code == null) return;
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(code));
    in.skipBytes(8);
    String[] texts = new String[in.readUnsignedShort()];
    int[] classes = new int[texts.length];
    for (int i = 1; i < texts.length; i++) {
      switch (in.readUnsignedByte()) {
        case 1:
          texts[i] = in.readUTF();
          break;
        case 7:
          classes[i] = in.readUnsignedShort();
          break;
        // Numbers of 64 bits take two places.
        case 5:
        case 6:
          in.skipBytes(8);
          i++;
          break;
        case 8:
        case 16:
        case 19:
        case 20:
          in.skipBytes(2);
          break;
        case 15:
          in.skipBytes(3);
          break;
        default:
          in.skipBytes(4);
      }
    }
    for (int text : classes) {
      if (text > 0 && !texts[text].startsWith("[")) add(texts[text].replace('/', '.'));
    }
  }
}
