// A handler of values. Loaded only for functions whose packages do not carry this interface.
package com.amazonaws.services.lambda.runtime;

public interface RequestHandler<I, O> {
  O handleRequest(I input, Context context);
}
