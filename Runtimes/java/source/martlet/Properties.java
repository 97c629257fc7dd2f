// What a class looks like as a JSON object: its properties by name, found once per class.
package martlet;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

final class Properties {
  static final class Property {
    final String name;
    Method getter;
    Method setter;
    /** Public, or what a setter is missing for. */
    Field field;

    Property(String name) {
      this.name = name;
    }

    Type writtenType() {
      return setter != null ? setter.getGenericParameterTypes()[0] : field.getGenericType();
    }

    boolean isRead() {
      return getter != null || field != null && Modifier.isPublic(field.getModifiers());
    }

    Object get(Object object) throws ReflectiveOperationException {
      return getter != null ? getter.invoke(object) : field.get(object);
    }

    void set(Object object, Object value) throws ReflectiveOperationException {
      if (setter != null) setter.invoke(object, value);
      else field.set(object, value);
    }
  }

  private static final Map<Class<?>, Properties> KNOWN = new ConcurrentHashMap<>();

  /** In the order in which they are written. */
  final Map<String, Property> byName = new LinkedHashMap<>();
  /** Event types have names such as `Records` and `eventSourceARN` in JSON, and `records`, `eventSourceArn` here. */
  private final Map<String, Property> byLowerName = new TreeMap<>();

  static Properties of(Class<?> type) {
    return KNOWN.computeIfAbsent(type, Properties::new);
  }

  /** The property that a name in JSON means, or null. */
  Property find(String name) {
    Property exact = byName.get(name);
    return exact != null ? exact : byLowerName.get(name.toLowerCase(Locale.ROOT));
  }

  private Properties(Class<?> type) {
    Map<String, Field> fields = new LinkedHashMap<>();
    collectFields(type, fields);
    Map<String, Property> found = new TreeMap<>();
    boolean record = isRecord(type);
    for (Method method : type.getMethods()) {
      if (Modifier.isStatic(method.getModifiers()) || method.isBridge() || method.getDeclaringClass() == Object.class) continue;
      String name = method.getName();
      int count = method.getParameterCount();
      if (count == 1 && name.startsWith("set") && name.length() > 3) {
        Property property = found.computeIfAbsent(decapitalized(name.substring(3)), Property::new);
        if (property.setter == null || fits(property, method)) property.setter = open(method);
      } else if (count == 0 && method.getReturnType() != void.class) {
        String property = record && fields.containsKey(name) ? name : read(name, method.getReturnType());
        if (property != null) found.computeIfAbsent(property, Property::new).getter = open(method);
      }
    }
    for (Map.Entry<String, Field> field : fields.entrySet()) {
      Property property = found.remove(field.getKey());
      if (property == null) property = new Property(field.getKey());
      Field opened = open(field.getValue());
      if (opened != null) property.field = opened;
      if (property.getter != null || property.setter != null || property.field != null) byName.put(property.name, property);
    }
    byName.putAll(found);
    for (Property property : byName.values()) byLowerName.putIfAbsent(property.name.toLowerCase(Locale.ROOT), property);
  }

  /** Of several setters the one whose type is the getter's. */
  private static boolean fits(Property property, Method setter) {
    return property.getter != null && property.getter.getReturnType() == setter.getParameterTypes()[0];
  }

  private static void collectFields(Class<?> type, Map<String, Field> fields) {
    if (type == null || type == Object.class || type.getName().startsWith("java.")) return;
    collectFields(type.getSuperclass(), fields);
    for (Field field : type.getDeclaredFields()) {
      int modifiers = field.getModifiers();
      if (Modifier.isStatic(modifiers) || Modifier.isTransient(modifiers) || field.isSynthetic()) continue;
      fields.put(field.getName(), field);
    }
  }

  private static String read(String name, Class<?> type) {
    if (name.startsWith("get") && name.length() > 3) return decapitalized(name.substring(3));
    boolean truth = type == boolean.class || type == Boolean.class;
    return truth && name.startsWith("is") && name.length() > 2 ? decapitalized(name.substring(2)) : null;
  }

  /** `url` of `URL`: all capitals at the front become small. */
  private static String decapitalized(String name) {
    int end = 0;
    while (end < name.length() && Character.isUpperCase(name.charAt(end))) end++;
    return name.substring(0, end).toLowerCase(Locale.ROOT) + name.substring(end);
  }

  static boolean isRecord(Class<?> type) {
    return type.getSuperclass() != null && type.getSuperclass().getName().equals("java.lang.Record");
  }

  private static Method open(Method method) {
    try {
      method.setAccessible(true);
    } catch (RuntimeException closed) {
      // A public method of a class that its module does not open can be called all the same, or says so when called.
    }
    return method;
  }

  private static Field open(Field field) {
    try {
      field.setAccessible(true);
      return field;
    } catch (RuntimeException closed) {
      return null;
    }
  }
}
