// The application that called. Loaded only for functions whose packages do not carry this interface.
package com.amazonaws.services.lambda.runtime;

public interface Client {
  String getInstallationId();

  String getAppTitle();

  String getAppVersionName();

  String getAppVersionCode();

  String getAppPackageName();
}
