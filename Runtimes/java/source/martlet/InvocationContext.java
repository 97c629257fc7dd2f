// The context object of an invocation, as the interfaces that the function brings know it.
package martlet;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;

final class InvocationContext implements InvocationHandler, Function<String, Object>, BiConsumer<Object, String> {
  private static final Object NOTHING = new Object();
  private final Map<String, String> headers;
  private final FunctionLoader loader;
  private final FunctionLog log;

  private InvocationContext(Map<String, String> headers, FunctionLoader loader, FunctionLog log) {
    this.headers = headers;
    this.loader = loader;
    this.log = log;
  }

  /** `headers`: those of the answer to `next`, names in lower case. */
  static Object make(Map<String, String> headers, FunctionLoader loader, FunctionLog log) throws ReflectiveOperationException {
    InvocationContext context = new InvocationContext(headers, loader, log);
    Constructor<?> ours = loader.maker(FunctionLoader.CONTEXT, "Context", Function.class);
    return ours != null ? ours.newInstance(context) : proxy("Context", context, loader);
  }

  private static Object proxy(String name, InvocationHandler handler, ClassLoader loader) throws ClassNotFoundException {
    Class<?> type = loader.loadClass(FunctionLoader.INTERFACES + name);
    return Proxy.newProxyInstance(loader, new Class<?>[] {type}, handler);
  }

  @Override
  public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
    Object value = value(method.getName());
    return value == NOTHING ? ordinary("Context", self, method, arguments) : value;
  }

  @Override
  public Object apply(String method) {
    try {
      return value(method);
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException(error);
    }
  }

  private Object value(String method) throws ReflectiveOperationException {
    switch (method) {
      case "getAwsRequestId":
        return headers.get("lambda-runtime-aws-request-id");
      case "getInvokedFunctionArn":
        return headers.get("lambda-runtime-invoked-function-arn");
      case "getTenantId":
        return headers.get("lambda-runtime-aws-tenant-id");
      case "getXrayTraceId":
        return headers.get("lambda-runtime-trace-id");
      case "getLogGroupName":
        return System.getenv("AWS_LAMBDA_LOG_GROUP_NAME");
      case "getLogStreamName":
        return System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");
      case "getFunctionName":
        return System.getenv("AWS_LAMBDA_FUNCTION_NAME");
      case "getFunctionVersion":
        return System.getenv("AWS_LAMBDA_FUNCTION_VERSION");
      case "getMemoryLimitInMB":
        return Integer.parseInt(System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
      case "getRemainingTimeInMillis":
        return remaining();
      case "getIdentity":
        return identity();
      case "getClientContext":
        return clientContext();
      case "getLogger":
        Constructor<?> ours = loader.maker(FunctionLoader.LOGGER, "LambdaLogger", BiConsumer.class);
        return ours != null ? ours.newInstance(this) : proxy("LambdaLogger", this::logged, loader);
      default:
        return NOTHING;
    }
  }

  private int remaining() {
    String deadline = headers.get("lambda-runtime-deadline-ms");
    return deadline == null ? 0 : (int) Math.max(0, Long.parseLong(deadline) - System.currentTimeMillis());
  }

  private Object identity() throws ClassNotFoundException {
    Map<?, ?> identity = object(headers.get("lambda-runtime-cognito-identity"));
    return proxy(
        "CognitoIdentity",
        (self, method, arguments) -> {
          switch (method.getName()) {
            case "getIdentityId":
              return text(identity, "cognitoIdentityId");
            case "getIdentityPoolId":
              return text(identity, "cognitoIdentityPoolId");
            default:
              return ordinary("CognitoIdentity", self, method, arguments);
          }
        },
        loader);
  }

  private Object clientContext() throws ClassNotFoundException {
    String header = headers.get("lambda-runtime-client-context");
    if (header == null) return null;
    Map<?, ?> context = object(header);
    return proxy(
        "ClientContext",
        (self, method, arguments) -> {
          switch (method.getName()) {
            case "getClient":
              return context.get("client") instanceof Map ? client((Map<?, ?>) context.get("client")) : null;
            case "getCustom":
              return context.get("custom");
            case "getEnvironment":
              return context.get("env");
            default:
              return ordinary("ClientContext", self, method, arguments);
          }
        },
        loader);
  }

  private Object client(Map<?, ?> client) throws ClassNotFoundException {
    return proxy(
        "Client",
        (self, method, arguments) -> {
          switch (method.getName()) {
            case "getInstallationId":
              return text(client, "installation_id");
            case "getAppTitle":
              return text(client, "app_title");
            case "getAppVersionName":
              return text(client, "app_version_name");
            case "getAppVersionCode":
              return text(client, "app_version_code");
            case "getAppPackageName":
              return text(client, "app_package_name");
            default:
              return ordinary("Client", self, method, arguments);
          }
        },
        loader);
  }

  private Object logged(Object self, Method method, Object[] arguments) {
    if (!method.getName().equals("log")) return ordinary("LambdaLogger", self, method, arguments);
    accept(arguments[0], arguments.length > 1 && arguments[1] != null ? arguments[1].toString() : null);
    return null;
  }

  /** What the function logs: a text or bytes. */
  @Override
  public void accept(Object message, String level) {
    byte[] bytes = message instanceof byte[] ? (byte[]) message : String.valueOf(message).getBytes(StandardCharsets.UTF_8);
    log.write(bytes, level == null ? "UNDEFINED" : level);
  }

  private static String text(Map<?, ?> map, String name) {
    Object value = map.get(name);
    return value == null ? null : value.toString();
  }

  private static Map<?, ?> object(String header) {
    try {
      Object value = header == null ? null : JsonReader.read(header);
      return value instanceof Map ? (Map<?, ?>) value : Collections.emptyMap();
    } catch (JsonReader.Malformed error) {
      return Collections.emptyMap();
    }
  }

  /** What every object has, and nothing for what a newer interface than ours may ask. */
  private static Object ordinary(String name, Object self, Method method, Object[] arguments) {
    switch (method.getName()) {
      case "toString":
        return name + "@" + Integer.toHexString(System.identityHashCode(self));
      case "hashCode":
        return System.identityHashCode(self);
      case "equals":
        return arguments[0] == self;
      default:
        Class<?> type = method.getReturnType();
        return type.isPrimitive() && type != void.class ? java.lang.reflect.Array.get(java.lang.reflect.Array.newInstance(type, 1), 0) : null;
    }
  }
}
