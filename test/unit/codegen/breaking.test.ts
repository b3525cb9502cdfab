import { expect } from 'chai';
import { ProtoCopy } from './proto-copy.js';

describe('changes of the protos', function () {
  this.timeout(60_000);
  let protos: ProtoCopy;

  beforeEach(() => {
    protos = new ProtoCopy();
  });

  afterEach(() => {
    protos.remove();
  });

  it('are free when they only add', () => {
    const field = '  // When the collection was made.';
    protos.edit('collection.proto', field, `  // Who made it.\n  string owner = 6;\n${field}`);
    expect(protos.checkBreaking()).to.deep.equal({ status: 0, output: '' });
  });

  it('are refused when a field changes its type', () => {
    protos.edit('collection.proto', 'uint32 dimensions = 2;', 'string dimensions = 2;');
    const { status, output } = protos.checkBreaking();
    expect(status).to.not.equal(0);
    expect(output).to.include('changed type from "uint32" to "string"');
  });

  it('are refused when a field, a method or a reason goes', () => {
    protos.edit('collection.proto', 'string name = 1;', 'reserved 1;');
    protos.edit('errors.proto', 'ERROR_REASON_ZERO_VECTOR', 'ERROR_REASON_NULL_VECTOR');
    protos.edit('system_service.proto', 'rpc GetLimits(', 'rpc ShowLimits(');
    const { status, output } = protos.checkBreaking();
    expect(status).to.not.equal(0);
    for (const lost of ['"1" with name "name"', 'ERROR_REASON_ZERO_VECTOR', 'GetLimits']) {
      expect(output).to.include(lost);
    }
  });

  it('pass lint with a comment and fail without', () => {
    expect(protos.lint()).to.deep.equal({ status: 0, output: '' });
    protos.edit('collection.proto', '  // When the collection was made.\n', '');
    const { status, output } = protos.lint();
    expect(status).to.not.equal(0);
    expect(output).to.include('create_time');
  });
});

describe('the generator refuses', function () {
  this.timeout(60_000);
  let protos: ProtoCopy;

  beforeEach(() => {
    protos = new ProtoCopy();
  });

  afterEach(() => {
    protos.remove();
  });

  const refusals: [string, string, string, string, string][] = [
    [
      'a method without a scope',
      'query_service.proto',
      '      scope: "records.read"\n',
      '',
      'QueryService.Query: needs a scope or public',
    ],
    [
      'a write without a request id',
      'query_service.proto',
      '      read_only: true\n',
      '',
      'QueryService.Query: a write needs the field request_id',
    ],
    [
      'a name of a collection that no credential is compared with',
      'collection_service.proto',
      '      new_collection_field: "name"\n',
      '',
      'CollectionService.BranchCollection: name names a collection',
    ],
    [
      'a path with a field that does not exist',
      'query_service.proto',
      '/{collection}/records:query',
      '/{nothing}/records:query',
      'QueryRequest has no field nothing',
    ],
    [
      'a rule that no validator checks',
      'query_service.proto',
      'string session_token = 9 [(buf.validate.field).string.max_bytes = 4096]',
      'string session_token = 9 [(buf.validate.field).string.email = true]',
      'rule email is not understood',
    ],
    [
      'a type that no JSON codec has',
      'query_service.proto',
      'bool exact = 1;',
      'fixed64 exact = 1;',
      'this scalar type has no JSON codec',
    ],
    [
      'a method without an example',
      'system_service.proto',
      'rpc GetLimits(',
      'rpc ShowLimits(',
      'ShowLimits: write an example',
    ],
  ];
  for (const [name, file, before, after, message] of refusals) {
    it(name, () => {
      protos.edit(file, before, after);
      const { status, output } = protos.generate();
      expect(output).to.include(message);
      expect(status).to.not.equal(0);
    });
  }
});
