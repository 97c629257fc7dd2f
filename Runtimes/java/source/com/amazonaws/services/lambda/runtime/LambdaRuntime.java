// The logger of code that has no context. Loaded only for functions whose packages do not carry this class.
package com.amazonaws.services.lambda.runtime;

public final class LambdaRuntime {
  private static final LambdaLogger LOGGER =
      new LambdaLogger() {
        @Override
        public void log(String message) {
          System.out.println(message);
        }

        @Override
        public void log(byte[] message) {
          System.out.write(message, 0, message.length);
        }
      };

  private LambdaRuntime() {}

  public static LambdaLogger getLogger() {
    return LOGGER;
  }
}
