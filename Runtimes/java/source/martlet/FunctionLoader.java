// Loads a function's classes: its package first, then its jars, then those of its layers. The interfaces of AWS that a
// handler implements are the package's own; ours stand in, under the same loader, where it brings none.
package martlet;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

final class FunctionLoader extends URLClassLoader {
  static final String INTERFACES = "com.amazonaws.services.lambda.runtime.";
  static final String CONTEXT = "martlet.FunctionContext";
  static final String LOGGER = "martlet.FunctionLogger";
  /** What has been read of ours. */
  private static final Map<String, byte[]> OWN = new ConcurrentHashMap<>();
  private final Map<String, Constructor<?>> makers = new HashMap<>();

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
    if (name.equals(CONTEXT) || name.equals(LOGGER)) return define(name, new ClassNotFoundException(name));
    try {
      return super.findClass(name);
    } catch (ClassNotFoundException absent) {
      if (!name.startsWith(INTERFACES)) throw absent;
      return define(name, absent);
    }
  }

  private Class<?> define(String name, ClassNotFoundException absent) throws ClassNotFoundException {
    byte[] code = OWN.get(name);
    if (code == null) {
      code = own(name.replace('.', '/') + ".class");
      if (code == null) throw absent;
      OWN.put(name, code);
    }
    return defineClass(name, code, 0, code.length);
  }

  /**
   * Makes objects of a class of ours that implements an interface as the function knows it; null where that one has
   * methods which ours has not.
   *
   * @param given the type of the constructor's parameter
   */
  synchronized Constructor<?> maker(String ours, String name, Class<?> given) {
    if (!makers.containsKey(ours)) makers.put(ours, find(ours, name, given));
    return makers.get(ours);
  }

  private Constructor<?> find(String ours, String name, Class<?> given) {
    try {
      Class<?> type = loadClass(ours);
      for (Method wanted : loadClass(INTERFACES + name).getMethods()) {
        if (!Modifier.isAbstract(wanted.getModifiers())) continue;
        Method found = type.getMethod(wanted.getName(), wanted.getParameterTypes());
        if (Modifier.isAbstract(found.getModifiers()) || found.getReturnType() != wanted.getReturnType()) return null;
      }
      return type.getConstructor(given);
    } catch (ReflectiveOperationException | LinkageError other) {
      return null;
    }
  }

  private static byte[] own(String resource) {
    // Not as a resource: the classes for URLs of jars would be loaded for it.
    try (ZipFile jar = new ZipFile(System.getProperty("java.class.path"))) {
      ZipEntry entry = jar.getEntry(resource);
      if (entry == null) return null;
      return everything(jar.getInputStream(entry));
    } catch (IOException absent) {
      return null;
    }
  }

  static byte[] everything(InputStream stream) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] piece = new byte[4096];
    for (int count = stream.read(piece); count > 0; count = stream.read(piece)) bytes.write(piece, 0, count);
    return bytes.toByteArray();
  }
}
