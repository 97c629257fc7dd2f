// A failure that the runtime finds in a function, with the type that AWS gives it.
package martlet;

final class Fault extends Exception {
  private static final long serialVersionUID = 1L;
  final String errorType;

  Fault(String errorType, String message, Throwable cause) {
    super(message, cause, false, true);
    this.errorType = errorType;
    setStackTrace(new StackTraceElement[0]);
  }
}
