// Loads a function's classes: its package first, then its jars, then those of its layers. The interfaces of AWS that a
// handler implements are the package's own; ours stand in, under the same loader, where it brings none.
package martlet;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

final class FunctionLoader extends URLClassLoader {
  static final String INTERFACES = "com.amazonaws.services.lambda.runtime.";
  /** What has been read of ours. */
  private static final Map<String, byte[]> OWN = new ConcurrentHashMap<>();

  FunctionLoader(String task, String layers) throws MalformedURLException {
    this(places(task, layers));
  }

  FunctionLoader(URL[] places) {
    // Not this program's own loader as parent: a function must not meet the bootstrap's classes.
    super(places, ClassLoader.getSystemClassLoader().getParent());
  }

  private static URL[] places(String task, String layers) throws MalformedURLException {
    List<URL> places = new ArrayList<>();
    places.add(new File(task + "/").toURI().toURL());
    for (String directory : new String[] {task + "/lib", layers + "/java/lib"}) {
      // No lambda on the way of every start: the first one of a process costs 15 ms.
      String[] names = new File(directory).list();
      if (names == null) continue;
      Arrays.sort(names);
      for (String name : names) {
        if (name.endsWith(".jar")) places.add(new File(directory, name).toURI().toURL());
      }
    }
    return places.toArray(new URL[0]);
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    try {
      return super.findClass(name);
    } catch (ClassNotFoundException absent) {
      if (!name.startsWith(INTERFACES)) throw absent;
      byte[] code = OWN.get(name);
      if (code == null) {
        code = own(name.replace('.', '/') + ".class");
        if (code == null) throw absent;
        OWN.put(name, code);
      }
      return defineClass(name, code, 0, code.length);
    }
  }

  private static byte[] own(String resource) {
    try (InputStream stream = FunctionLoader.class.getClassLoader().getResourceAsStream(resource)) {
      if (stream == null) return null;
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      byte[] piece = new byte[4096];
      for (int count = stream.read(piece); count > 0; count = stream.read(piece)) bytes.write(piece, 0, count);
      return bytes.toByteArray();
    } catch (IOException error) {
      return null;
    }
  }
}
