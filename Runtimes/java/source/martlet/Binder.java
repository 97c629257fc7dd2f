// Values read from JSON to the types that a handler declares.
package martlet;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Calendar;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

final class Binder {
  static final class Mismatch extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Mismatch(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private Binder() {}

  /** `types`: what the type variables stand for. */
  static Object bind(Object json, Type type, Map<TypeVariable<?>, Type> types) {
    if (type instanceof Class) return bindClass(json, (Class<?>) type, types);
    if (type instanceof TypeVariable) {
      Type meaning = types.get(type);
      return bind(json, meaning != null && meaning != type ? meaning : ((TypeVariable<?>) type).getBounds()[0], types);
    }
    if (type instanceof WildcardType) return bind(json, ((WildcardType) type).getUpperBounds()[0], types);
    if (type instanceof GenericArrayType) {
      return bindArray(json, ((GenericArrayType) type).getGenericComponentType(), types);
    }
    ParameterizedType parameterized = (ParameterizedType) type;
    Class<?> raw = (Class<?>) parameterized.getRawType();
    Type[] arguments = parameterized.getActualTypeArguments();
    if (Collection.class.isAssignableFrom(raw) || raw == Iterable.class) {
      return bindCollection(json, raw, argument(arguments, 0, types), types);
    }
    if (Map.class.isAssignableFrom(raw)) {
      return bindMap(json, raw, argument(arguments, 0, types), argument(arguments, 1, types), types);
    }
    if (raw == Optional.class) return Optional.ofNullable(bind(json, argument(arguments, 0, types), types));
    Map<TypeVariable<?>, Type> inner = new HashMap<>(types);
    TypeVariable<?>[] variables = raw.getTypeParameters();
    for (int index = 0; index < variables.length; index++) inner.put(variables[index], argument(arguments, index, types));
    return bindClass(json, raw, inner);
  }

  private static Type argument(Type[] arguments, int index, Map<TypeVariable<?>, Type> types) {
    if (index >= arguments.length) return Object.class;
    Type argument = arguments[index];
    return argument instanceof TypeVariable && types.containsKey(argument) ? types.get(argument) : argument;
  }

  static Class<?> rawClass(Type type, Map<TypeVariable<?>, Type> types) {
    if (type instanceof Class) return (Class<?>) type;
    if (type instanceof ParameterizedType) return (Class<?>) ((ParameterizedType) type).getRawType();
    if (type instanceof TypeVariable && types.containsKey(type)) return rawClass(types.get(type), types);
    return Object.class;
  }

  private static Object bindClass(Object json, Class<?> type, Map<TypeVariable<?>, Type> types) {
    if (type.isPrimitive()) return json == null ? Array.get(Array.newInstance(type, 1), 0) : bindScalar(json, boxed(type));
    if (json == null || type == Object.class) return json;
    if (type == void.class || type == Void.class) return null;
    if (type.isArray()) return bindArray(json, type.getComponentType(), types);
    if (Collection.class.isAssignableFrom(type) || type == Iterable.class) {
      return bindCollection(json, type, Object.class, types);
    }
    if (Map.class.isAssignableFrom(type)) return bindMap(json, type, String.class, Object.class, types);
    if (type == Optional.class) return Optional.of(json);
    if (json instanceof Map) {
      if (isScalar(type)) throw mismatch(type, "START_OBJECT");
      return bindBean((Map<?, ?>) json, type, types);
    }
    if (json instanceof List) {
      List<?> list = (List<?>) json;
      if (list.isEmpty()) return null;
      throw mismatch(type, "START_ARRAY");
    }
    return bindScalar(json, type);
  }

  private static boolean isScalar(Class<?> type) {
    return type == String.class || type == CharSequence.class || Number.class.isAssignableFrom(type) || type == Boolean.class
        || type == Character.class || type.isEnum() || type == Date.class || type == ByteBuffer.class;
  }

  private static Class<?> boxed(Class<?> primitive) {
    return Array.get(Array.newInstance(primitive, 1), 0).getClass();
  }

  /** `json` is a string, a number or a truth value. */
  private static Object bindScalar(Object json, Class<?> type) {
    if (json instanceof Map) throw mismatch(type, "START_OBJECT");
    if (json instanceof List) throw mismatch(type, "START_ARRAY");
    if (type.isInstance(json)) return json;
    if (type == String.class || type == CharSequence.class) return json.toString();
    if (json instanceof String && ((String) json).isEmpty()) return null;
    try {
      if (type == Boolean.class) return truth(json);
      if (type == Character.class && json.toString().length() == 1) return json.toString().charAt(0);
      if (Number.class.isAssignableFrom(type)) {
        Number number = number(json, type);
        if (number != null) return number;
      }
      if (Date.class == type) return new Date(milliseconds(json));
      if (Calendar.class.isAssignableFrom(type)) {
        Calendar calendar = Calendar.getInstance();
        calendar.setTimeInMillis(milliseconds(json));
        return calendar;
      }
      if (type == Instant.class && json instanceof Number) return Instant.ofEpochMilli(milliseconds(json));
      if (ByteBuffer.class.isAssignableFrom(type)) return ByteBuffer.wrap(Base64.getDecoder().decode(json.toString()));
      if (type.isEnum()) return constant(type, json);
      return made(json, type);
    } catch (IllegalArgumentException | java.time.DateTimeException error) {
      throw new Mismatch("Can not construct instance of " + type.getName() + " from " + json + ": " + error.getMessage(), error);
    }
  }

  private static Boolean truth(Object json) {
    if (json instanceof Number) return ((Number) json).doubleValue() != 0;
    if ("true".equalsIgnoreCase(json.toString())) return true;
    if ("false".equalsIgnoreCase(json.toString())) return false;
    throw new IllegalArgumentException("only \"true\" or \"false\" recognized");
  }

  private static Number number(Object json, Class<?> type) {
    if (json instanceof Boolean) throw new IllegalArgumentException("it is a truth value");
    BigDecimal value = new BigDecimal(json.toString());
    if (type == Integer.class) return whole(value, Integer.MIN_VALUE, Integer.MAX_VALUE).intValue();
    if (type == Long.class) return whole(value, Long.MIN_VALUE, Long.MAX_VALUE).longValue();
    if (type == Short.class) return whole(value, Short.MIN_VALUE, Short.MAX_VALUE).shortValue();
    if (type == Byte.class) return whole(value, Byte.MIN_VALUE, 255).byteValue();
    if (type == Double.class) return value.doubleValue();
    if (type == Float.class) return value.floatValue();
    if (type == BigDecimal.class) return value;
    return type == BigInteger.class ? value.toBigInteger() : null;
  }

  private static BigInteger whole(BigDecimal value, long least, long most) {
    BigInteger whole = value.toBigInteger();
    if (whole.compareTo(BigInteger.valueOf(least)) < 0 || whole.compareTo(BigInteger.valueOf(most)) > 0) {
      throw new IllegalArgumentException("it is out of range");
    }
    return whole;
  }

  /** Since 1970. Some events give seconds with a fraction. */
  private static long milliseconds(Object json) {
    if (json instanceof Double) {
      double value = (Double) json;
      return (long) (Math.abs(value) < 1e11 ? value * 1000 : value);
    }
    if (json instanceof Number) return ((Number) json).longValue();
    String text = json.toString();
    if (text.length() == 10) text += "T00:00:00Z";
    return java.time.OffsetDateTime.parse(text.replaceFirst("([+-]\\d\\d)(\\d\\d)$", "$1:$2")).toInstant().toEpochMilli();
  }

  private static Object constant(Class<?> type, Object json) {
    Object[] constants = type.getEnumConstants();
    if (json instanceof Integer && (Integer) json >= 0 && (Integer) json < constants.length) return constants[(Integer) json];
    for (Object constant : constants) if (((Enum<?>) constant).name().equals(json)) return constant;
    throw new IllegalArgumentException("value not one of declared Enum instance names");
  }

  /** A type that can be made from one value: by a static method or a constructor. */
  private static Object made(Object json, Class<?> type) {
    for (Class<?> parameter : new Class<?>[] {json.getClass(), String.class, CharSequence.class, Object.class}) {
      if (!parameter.isInstance(json)) continue;
      for (String name : new String[] {"parse", "fromString", "valueOf", "of"}) {
        try {
          Method method = type.getMethod(name, parameter);
          if (Modifier.isStatic(method.getModifiers()) && type.isAssignableFrom(method.getReturnType())) {
            return call(method, null, json);
          }
        } catch (NoSuchMethodException absent) {
          continue;
        }
      }
      try {
        return call(type.getConstructor(parameter), null, json);
      } catch (NoSuchMethodException absent) {
        continue;
      }
    }
    throw new Mismatch(
        "Can not construct instance of " + type.getName() + ": no String-argument constructor/factory method to deserialize "
            + "from " + (json instanceof String ? "String value ('" + json + "')" : "value (" + json + ")"),
        null);
  }

  private static Object bindArray(Object json, Type component, Map<TypeVariable<?>, Type> types) {
    if (json == null) return null;
    if (component == byte.class && json instanceof String) return Base64.getDecoder().decode((String) json);
    if (component == char.class && json instanceof String) return ((String) json).toCharArray();
    List<?> list = json instanceof List ? (List<?>) json : Collections.singletonList(json);
    Object array = Array.newInstance(rawClass(component, types), list.size());
    for (int index = 0; index < list.size(); index++) Array.set(array, index, bind(list.get(index), component, types));
    return array;
  }

  @SuppressWarnings("unchecked")
  private static Object bindCollection(Object json, Class<?> type, Type element, Map<TypeVariable<?>, Type> types) {
    if (json == null || "".equals(json)) return null;
    List<?> list = json instanceof List ? (List<?>) json : Collections.singletonList(json);
    if (element == Object.class && type.isAssignableFrom(ArrayList.class)) return list instanceof ArrayList ? list : new ArrayList<>(list);
    Collection<Object> collection;
    if (type.isAssignableFrom(ArrayList.class)) collection = new ArrayList<>(list.size());
    else if (type == Set.class || type.isAssignableFrom(LinkedHashSet.class)) collection = new LinkedHashSet<>();
    else if (SortedSet.class.isAssignableFrom(type) && type.isAssignableFrom(TreeSet.class)) collection = new TreeSet<>();
    else if (Queue.class.isAssignableFrom(type) && type.isAssignableFrom(ArrayDeque.class)) collection = new ArrayDeque<>();
    else collection = (Collection<Object>) instance(type);
    for (Object value : list) collection.add(bind(value, element, types));
    return collection;
  }

  @SuppressWarnings("unchecked")
  private static Object bindMap(Object json, Class<?> type, Type key, Type element, Map<TypeVariable<?>, Type> types) {
    if (json == null || "".equals(json)) return null;
    if (json instanceof List && ((List<?>) json).isEmpty()) return null;
    if (!(json instanceof Map)) throw mismatch(type, token(json));
    boolean plain = element == Object.class && (key == String.class || key == Object.class);
    if (plain && type.isAssignableFrom(LinkedHashMap.class)) return json;
    Map<Object, Object> map;
    if (type.isAssignableFrom(LinkedHashMap.class)) map = new LinkedHashMap<>();
    else if (SortedMap.class.isAssignableFrom(type) && type.isAssignableFrom(TreeMap.class)) map = new TreeMap<>();
    else map = (Map<Object, Object>) instance(type);
    for (Map.Entry<?, ?> entry : ((Map<?, ?>) json).entrySet()) {
      map.put(bind(entry.getKey(), key, types), bind(entry.getValue(), element, types));
    }
    return map;
  }

  private static Object bindBean(Map<?, ?> json, Class<?> type, Map<TypeVariable<?>, Type> types) {
    if (Properties.isRecord(type)) return bindRecord(json, type, types);
    if (type.isInterface() || Modifier.isAbstract(type.getModifiers())) {
      throw new Mismatch(
          "Can not construct instance of " + type.getName() + ": abstract types either need to be mapped to concrete types, have "
              + "custom deserializer, or contain additional type information",
          null);
    }
    Properties properties = Properties.of(type);
    Object bean = instance(type);
    for (Map.Entry<?, ?> entry : json.entrySet()) {
      Properties.Property property = properties.find((String) entry.getKey());
      if (property == null || property.setter == null && property.field == null) continue;
      Object value = bind(entry.getValue(), property.writtenType(), types);
      try {
        property.set(bean, value);
      } catch (InvocationTargetException thrown) {
        throw new Mismatch(String.valueOf(thrown.getCause()) + " (through reference chain: " + type.getName() + "[\"" + property.name + "\"])", thrown.getCause());
      } catch (ReflectiveOperationException | IllegalArgumentException error) {
        throw new Mismatch("Can not set " + type.getName() + "[\"" + property.name + "\"]: " + error.getMessage(), error);
      }
    }
    return bean;
  }

  /** The constructor whose parameters are the record's components. */
  private static Object bindRecord(Map<?, ?> json, Class<?> type, Map<TypeVariable<?>, Type> types) {
    List<Field> components = new ArrayList<>();
    for (Field field : type.getDeclaredFields()) if (!Modifier.isStatic(field.getModifiers())) components.add(field);
    Class<?>[] parameters = new Class<?>[components.size()];
    Object[] values = new Object[components.size()];
    for (int index = 0; index < values.length; index++) {
      Field component = components.get(index);
      parameters[index] = component.getType();
      values[index] = bind(json.get(component.getName()), component.getGenericType(), types);
    }
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(parameters);
      constructor.setAccessible(true);
      return call(constructor, null, values);
    } catch (NoSuchMethodException absent) {
      throw new Mismatch("Can not construct instance of " + type.getName() + ": " + absent.getMessage(), absent);
    }
  }

  /** An empty object: by the constructor without parameters, else past all constructors. */
  private static Object instance(Class<?> type) {
    try {
      Constructor<?> constructor = type.getDeclaredConstructor();
      constructor.setAccessible(true);
      return call(constructor, null);
    } catch (NoSuchMethodException absent) {
      return raw(type, absent);
    } catch (RuntimeException closed) {
      if (closed instanceof Mismatch) throw closed;
      return raw(type, closed);
    }
  }

  private static Object raw(Class<?> type, Exception why) {
    if (type.getName().startsWith("java.")) throw new Mismatch("Can not construct instance of " + type.getName(), why);
    try {
      Class<?> unsafe = Class.forName("sun.misc.Unsafe");
      Field only = unsafe.getDeclaredField("theUnsafe");
      only.setAccessible(true);
      return unsafe.getMethod("allocateInstance", Class.class).invoke(only.get(null), type);
    } catch (ReflectiveOperationException | RuntimeException error) {
      throw new Mismatch(
          "No suitable constructor found for type [simple type, class " + type.getName() + "]: can not instantiate from JSON object",
          error);
    }
  }

  private static Object call(Executable executable, Object target, Object... values) {
    try {
      return executable instanceof Method
          ? ((Method) executable).invoke(target, values) : ((Constructor<?>) executable).newInstance(values);
    } catch (InvocationTargetException thrown) {
      throw new Mismatch(
          "Can not construct instance of " + executable.getDeclaringClass().getName() + ": " + thrown.getCause(), thrown.getCause());
    } catch (ReflectiveOperationException error) {
      throw new Mismatch("Can not construct instance of " + executable.getDeclaringClass().getName(), error);
    }
  }

  private static Mismatch mismatch(Class<?> type, String token) {
    return new Mismatch("Can not deserialize instance of " + type.getName() + " out of " + token + " token", null);
  }

  private static String token(Object json) {
    if (json instanceof Map) return "START_OBJECT";
    if (json instanceof List) return "START_ARRAY";
    if (json instanceof String) return "VALUE_STRING";
    if (json instanceof Boolean) return (Boolean) json ? "VALUE_TRUE" : "VALUE_FALSE";
    return json instanceof Double ? "VALUE_NUMBER_FLOAT" : "VALUE_NUMBER_INT";
  }
}
