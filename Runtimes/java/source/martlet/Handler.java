// Finds a function's handler by its name, and calls it with the types that it declares.
package martlet;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

final class Handler {
  private final Method method;
  /** Null for a static method. */
  private final Object object;
  /** What the type variables of the class and its ancestors stand for. */
  private final Map<TypeVariable<?>, Type> types;
  private final Class<?> contextType;
  private final boolean isStream;
  /** The function's own way to read and write JSON, or null. */
  private final Object serializer;
  private final Class<?> serializerType;

  private Handler(Method method, Object object, Map<TypeVariable<?>, Type> types, ClassLoader loader)
      throws ReflectiveOperationException {
    this.method = method;
    this.object = object;
    this.types = types;
    contextType = loader.loadClass(FunctionLoader.INTERFACES + "Context");
    Class<?>[] parameters = method.getParameterTypes();
    isStream = parameters.length > 0 && parameters[0] == InputStream.class;
    method.setAccessible(true);
    serializerType = loader.loadClass(FunctionLoader.INTERFACES + "CustomPojoSerializer");
    Iterator<?> found = ServiceLoader.load(serializerType, loader).iterator();
    serializer = found.hasNext() ? found.next() : null;
  }

  /** `pkg.Class::method`, or `pkg.Class` of a class that implements one of AWS's interfaces. */
  static Handler find(String name, ClassLoader loader) throws Throwable {
    String[] parts = name.split("::", -1);
    if (parts.length > 2 || parts[0].isEmpty() || parts.length == 2 && parts[1].isEmpty()) {
      throw new Fault("java.lang.RuntimeException", "Invalid handler: `" + name + "`", null);
    }
    Class<?> type = load(parts[0], loader);
    Map<TypeVariable<?>, Type> types = new HashMap<>();
    collect(type, types);
    Class<?> context = loader.loadClass(FunctionLoader.INTERFACES + "Context");
    Method method;
    if (parts.length == 2) {
      method = named(type, parts[1], context);
    } else {
      Class<?> values = loader.loadClass(FunctionLoader.INTERFACES + "RequestHandler");
      Class<?> streams = loader.loadClass(FunctionLoader.INTERFACES + "RequestStreamHandler");
      if (!values.isAssignableFrom(type) && !streams.isAssignableFrom(type)) {
        throw new Fault(
            "java.lang.Exception", "Class " + type.getName() + " does not implement an appropriate handler interface", null);
      }
      method = implementation(type, values.isAssignableFrom(type) ? values : streams);
      // The interface's own parameter is Object; what it means for this class stands in its declaration.
    }
    Object object = Modifier.isStatic(method.getModifiers()) ? null : instance(type);
    return new Handler(method, object, types, loader);
  }

  private static Class<?> load(String name, ClassLoader loader) throws Throwable {
    try {
      return Class.forName(name, true, loader);
    } catch (ClassNotFoundException absent) {
      throw new Fault("java.lang.ClassNotFoundException", "Class not found: " + name, null);
    } catch (ExceptionInInitializerError failed) {
      throw failed;
    } catch (LinkageError damaged) {
      throw new Fault(damaged.getClass().getName(), "Error loading class " + name + ": " + damaged.getMessage(), damaged);
    }
  }

  private static Method implementation(Class<?> type, Class<?> handlerInterface) throws Fault {
    for (Method method : handlerInterface.getMethods()) if (method.getName().equals("handleRequest")) return method;
    throw new Fault("java.lang.NoSuchMethodException", "No public method named handleRequest found on class " + type.getName(), null);
  }

  /** Of several methods of that name the one with most parameters, one that takes the context before one that does not. */
  private static Method named(Class<?> type, String name, Class<?> context) throws Fault {
    Method best = null;
    // The class itself before its ancestors: a public method may be inherited from a class that is not public.
    List<Method> methods = new ArrayList<>();
    for (Class<?> each = type; each != null && each != Object.class; each = each.getSuperclass()) {
      methods.addAll(Arrays.asList(each.getDeclaredMethods()));
    }
    methods.addAll(Arrays.asList(type.getMethods()));
    for (Method method : methods) {
      if (!method.getName().equals(name) || method.isBridge() || !Modifier.isPublic(method.getModifiers())) continue;
      if (!isHandler(method, context)) continue;
      if (best == null || rank(method, context) > rank(best, context)) best = method;
    }
    if (best != null) return best;
    throw new Fault(
        "java.lang.NoSuchMethodException",
        "No public method named " + name + " with appropriate method signature found on class " + type.getName(), null);
  }

  private static boolean isHandler(Method method, Class<?> context) {
    Class<?>[] parameters = method.getParameterTypes();
    int count = parameters.length;
    boolean last = count > 0 && parameters[count - 1].isAssignableFrom(context) && context.isAssignableFrom(parameters[count - 1]);
    int values = last ? count - 1 : count;
    return values <= 1 || values == 2 && parameters[0] == InputStream.class && parameters[1] == OutputStream.class;
  }

  private static int rank(Method method, Class<?> context) {
    Class<?>[] parameters = method.getParameterTypes();
    return 2 * parameters.length + (parameters.length > 0 && parameters[parameters.length - 1] == context ? 1 : 0);
  }

  private static Object instance(Class<?> type) throws Throwable {
    if (Modifier.isAbstract(type.getModifiers())) {
      throw new Fault("java.lang.InstantiationException", "Class " + type.getName() + " cannot be instantiated: it is abstract", null);
    }
    Constructor<?> constructor;
    try {
      constructor = type.getConstructor();
      constructor.setAccessible(true);
    } catch (NoSuchMethodException absent) {
      throw new Fault("java.lang.Exception", "Class " + type.getName() + " has no public zero-argument constructor", null);
    }
    try {
      return constructor.newInstance();
    } catch (InvocationTargetException thrown) {
      throw thrown.getCause();
    }
  }

  /** Walks through all that a class extends and implements. */
  private static void collect(Type type, Map<TypeVariable<?>, Type> types) {
    if (type == null) return;
    Class<?> raw = Binder.rawClass(type, types);
    if (type instanceof ParameterizedType) {
      TypeVariable<?>[] variables = raw.getTypeParameters();
      Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
      for (int index = 0; index < variables.length; index++) {
        Type argument = arguments[index];
        types.put(variables[index], argument instanceof TypeVariable && types.containsKey(argument) ? types.get(argument) : argument);
      }
    }
    collect(raw.getGenericSuperclass(), types);
    for (Type parent : raw.getGenericInterfaces()) collect(parent, types);
  }

  byte[] call(byte[] event, Object context) throws Throwable {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    Type[] declared = method.getGenericParameterTypes();
    Class<?>[] parameters = method.getParameterTypes();
    Object[] arguments = new Object[parameters.length];
    for (int index = 0; index < parameters.length; index++) {
      if (parameters[index] == contextType && (index > 0 || parameters.length == 1)) arguments[index] = context;
      else if (isStream) arguments[index] = index == 0 ? new ByteArrayInputStream(event) : output;
      else arguments[index] = read(event, declared[index]);
    }
    Object answer;
    try {
      answer = method.invoke(object, arguments);
    } catch (InvocationTargetException thrown) {
      throw thrown.getCause();
    }
    if (isStream && (method.getReturnType() == void.class || output.size() > 0)) return output.toByteArray();
    write(answer, output);
    return output.toByteArray();
  }

  private Object read(byte[] event, Type type) throws Throwable {
    try {
      if (serializer != null) {
        Type meaning = type instanceof TypeVariable && types.containsKey(type) ? types.get(type) : type;
        Method fromJson = serializerType.getMethod("fromJson", InputStream.class, Type.class);
        return fromJson.invoke(serializer, new ByteArrayInputStream(event), meaning);
      }
      return Binder.bind(event.length == 0 ? null : JsonReader.read(new String(event, StandardCharsets.UTF_8)), type, types);
    } catch (InvocationTargetException thrown) {
      throw parsing(thrown.getCause());
    } catch (JsonReader.Malformed | Binder.Mismatch error) {
      throw parsing(error);
    }
  }

  private static Throwable parsing(Throwable error) {
    Throwable cause = new java.io.UncheckedIOException(new java.io.IOException(error.getMessage(), error.getCause()));
    cause.setStackTrace(new StackTraceElement[0]);
    cause.getCause().setStackTrace(new StackTraceElement[0]);
    return new Fault("java.lang.RuntimeException", "An error occurred during JSON parsing", cause);
  }

  private void write(Object answer, ByteArrayOutputStream output) throws Throwable {
    try {
      if (serializer != null && method.getReturnType() != void.class) {
        Type type = method.getGenericReturnType();
        Type meaning = type instanceof TypeVariable && types.containsKey(type) ? types.get(type) : type;
        serializerType.getMethod("toJson", Object.class, OutputStream.class, Type.class).invoke(serializer, answer, output, meaning);
        return;
      }
      byte[] text = JsonWriter.write(answer).getBytes(StandardCharsets.UTF_8);
      output.write(text, 0, text.length);
    } catch (InvocationTargetException thrown) {
      throw new Fault("java.lang.RuntimeException", "An error occurred during JSON serialization of response", thrown.getCause());
    } catch (JsonWriter.Unwritable error) {
      throw new Fault("java.lang.RuntimeException", "An error occurred during JSON serialization of response", error);
    }
  }
}
