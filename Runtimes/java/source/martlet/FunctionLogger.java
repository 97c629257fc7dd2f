// The function's logger, as FunctionContext is its context.
package martlet;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.util.function.BiConsumer;

public final class FunctionLogger implements LambdaLogger {
  /** Takes a text or bytes, and the level's name or null. */
  private final BiConsumer<Object, String> log;

  public FunctionLogger(BiConsumer<Object, String> log) {
    this.log = log;
  }

  @Override
  public void log(String message) {
    log.accept(message, null);
  }

  @Override
  public void log(byte[] message) {
    log.accept(message, null);
  }

  @Override
  public void log(String message, LogLevel level) {
    log.accept(message, level == null ? null : level.toString());
  }

  @Override
  public void log(byte[] message, LogLevel level) {
    log.accept(message, level == null ? null : level.toString());
  }

  @Override
  public String toString() {
    return "LambdaLogger@" + Integer.toHexString(System.identityHashCode(this));
  }
}
