// Every shape in which QBO says something, read into one union.
import { interpret, type RawAnswer } from './faults.js';
import type { Json } from '#core';

const raw = (status: number, text: string, contentType = 'application/json'): RawAnswer => ({
  status,
  text,
  contentType,
  tid: 'tid-1',
});
const pickCustomer = (envelope: Json): Json | undefined => envelope.Customer as Json | undefined;
const read = (status: number, text: string) => interpret(raw(status, text), pickCustomer);

const serviceFault = (code: string, type = 'ValidationFault') =>
  JSON.stringify({
    Fault: { Error: [{ Message: 'Said so', Detail: 'because', code, element: 'DisplayName' }], type },
    time: 't',
  });
const gatewayFault = (code: string, status: number) =>
  JSON.stringify({
    warnings: null,
    fault: {
      error: [{ message: `message=X; errorCode=00${code}; statusCode=${status}`, detail: 'd', code, element: null }],
      type: 'AUTHENTICATION',
    },
    batchItemResponse: [],
  });
const xmlThrottle =
  '<?xml version="1.0"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE"><Error code="3001">' +
  '<Message>message=ThrottleExceeded; errorCode=003001; statusCode=429</Message><Detail>a &lt;b&gt; &#38; c</Detail></Error></Fault></IntuitResponse>';

describe('an answer of QBO', () => {
  it.each<[string, number, string, string]>([
    ['an object', 200, '{"Customer":{"Id":"1"},"time":"t"}', 'ok'],
    ['a validation fault', 400, serviceFault('6240'), 'refused'],
    ['a fault inside a 200', 200, serviceFault('6240'), 'refused'],
    ['a throttle in XML, though JSON was asked for', 429, xmlThrottle, 'throttled'],
    ['a throttle in gateway JSON', 429, gatewayFault('3001', 429), 'throttled'],
    ['a throttle under the 403 of old', 403, gatewayFault('3001', 403), 'throttled'],
    ['a 429 with an empty body', 429, '', 'throttled'],
    ['an expired token', 401, gatewayFault('3200', 401), 'unauthorized'],
    ['a 401 without a body', 401, '', 'unauthorized'],
    ['a token of another company', 403, gatewayFault('3100', 403), 'unauthorized'],
    ['a permission the plan lacks', 403, serviceFault('5020'), 'refused'],
    [
      'an application error, which may have come after the commit',
      500,
      serviceFault('10000', 'SystemFault'),
      'uncertain',
    ],
    ['a result too big, which is a verdict although a 500', 500, serviceFault('10100', 'SystemFault'), 'refused'],
    ['a gateway page', 503, '<html>Service Unavailable</html>', 'uncertain'],
    ['an unknown address', 404, '<html>not found</html>', 'refused'],
    ['an answer cut in the middle', 200, '{"Customer":{"Id":"1","Disp', 'uncertain'],
    ['a 200 with a page instead of an answer', 200, '<html></html>', 'uncertain'],
    ['a 200 that answers another question', 200, '{"time":"t"}', 'uncertain'],
    ['a redirect nobody expects', 302, '', 'uncertain'],
  ])('%s (%i) is told apart', (_name, status, text, kind) => {
    expect(read(status, text).kind).toBe(kind);
  });

  it('tells a grant only a person can mend from a token that a renewal mends', () => {
    expect(read(403, gatewayFault('3100', 403))).toMatchObject({ kind: 'unauthorized', reconnect: true });
    expect(read(401, gatewayFault('3200', 401))).toMatchObject({ kind: 'unauthorized', reconnect: false });
  });

  it('keeps code, texts and element of a service fault', () => {
    expect(read(400, serviceFault('6240'))).toEqual({
      kind: 'refused',
      status: 400,
      tid: 'tid-1',
      faults: [
        { code: '6240', message: 'Said so', detail: 'because', element: 'DisplayName', type: 'ValidationFault' },
      ],
    });
  });

  it('reads several errors of an XML fault and its escaped texts', () => {
    const xml =
      '<IntuitResponse><Fault type="ValidationFault"><Error code="610" element=""><Message>Object &amp; Not Found</Message>' +
      '<Detail>gone</Detail></Error><Error code="2500"/></Fault></IntuitResponse>';
    expect(read(400, xml)).toMatchObject({
      kind: 'refused',
      faults: [
        { code: '610', message: 'Object & Not Found', detail: 'gone' },
        { code: '2500', message: '' },
      ],
    });
  });

  it('finds the code that a gateway hides in its message', () => {
    const text = JSON.stringify({
      fault: { error: [{ message: 'message=ThrottleExceeded; errorCode=003001; statusCode=429' }] },
    });
    expect(read(400, text).kind).toBe('throttled');
  });

  it('finds the fault of one file in the 200 of an upload', () => {
    const text = JSON.stringify({
      AttachableResponse: [{ Fault: { Error: [{ Message: 'no', code: '6041' }], type: 'ValidationFault' } }],
    });
    expect(interpret(raw(200, text), () => ({}))).toMatchObject({ kind: 'refused', faults: [{ code: '6041' }] });
  });
});
