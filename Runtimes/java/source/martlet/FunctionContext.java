// The context object, where the function's interface asks for no more than this. It is defined by the function's loader,
// so that it implements the interface that the function brings; a proxy would have to be generated at each start.
package martlet;

import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.util.function.Function;

public final class FunctionContext implements Context {
  /** What a method gives, by its name. */
  private final Function<String, Object> values;

  public FunctionContext(Function<String, Object> values) {
    this.values = values;
  }

  @Override
  public String getAwsRequestId() {
    return (String) values.apply("getAwsRequestId");
  }

  @Override
  public String getLogGroupName() {
    return (String) values.apply("getLogGroupName");
  }

  @Override
  public String getLogStreamName() {
    return (String) values.apply("getLogStreamName");
  }

  @Override
  public String getFunctionName() {
    return (String) values.apply("getFunctionName");
  }

  @Override
  public String getFunctionVersion() {
    return (String) values.apply("getFunctionVersion");
  }

  @Override
  public String getInvokedFunctionArn() {
    return (String) values.apply("getInvokedFunctionArn");
  }

  @Override
  public CognitoIdentity getIdentity() {
    return (CognitoIdentity) values.apply("getIdentity");
  }

  @Override
  public ClientContext getClientContext() {
    return (ClientContext) values.apply("getClientContext");
  }

  @Override
  public int getRemainingTimeInMillis() {
    return (Integer) values.apply("getRemainingTimeInMillis");
  }

  @Override
  public int getMemoryLimitInMB() {
    return (Integer) values.apply("getMemoryLimitInMB");
  }

  @Override
  public LambdaLogger getLogger() {
    return (LambdaLogger) values.apply("getLogger");
  }

  @Override
  public String getTenantId() {
    return (String) values.apply("getTenantId");
  }

  @Override
  public String getXrayTraceId() {
    return (String) values.apply("getXrayTraceId");
  }

  @Override
  public String toString() {
    return "Context@" + Integer.toHexString(System.identityHashCode(this));
  }
}
