// Who called through Cognito. Loaded only for functions whose packages do not carry this interface.
package com.amazonaws.services.lambda.runtime;

public interface CognitoIdentity {
  String getIdentityId();

  String getIdentityPoolId();
}
