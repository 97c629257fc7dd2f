// What a handler is told about its invocation. Loaded only for functions whose packages do not carry this interface.
package com.amazonaws.services.lambda.runtime;

public interface Context {
  String getAwsRequestId();

  String getLogGroupName();

  String getLogStreamName();

  String getFunctionName();

  String getFunctionVersion();

  String getInvokedFunctionArn();

  CognitoIdentity getIdentity();

  ClientContext getClientContext();

  int getRemainingTimeInMillis();

  int getMemoryLimitInMB();

  LambdaLogger getLogger();

  default String getTenantId() {
    return null;
  }

  default String getXrayTraceId() {
    return null;
  }
}
