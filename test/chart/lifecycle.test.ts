// What a pod needs to go without a lost request, and to follow a new key.
import { expect } from 'chai';
import { at, render, scenario } from './helm.js';
import { serverContainer, serverPods } from './pods.js';

describe('The life of a pod', () => {
  for (const name of ['staging', 'production']) {
    it(`in ${name} ends with time for balancers to learn of it, and for requests in work`, () => {
      const all = render(scenario(name));
      expect(at(serverContainer(all), 'lifecycle.preStop.sleep.seconds')).to.equal(10);
      expect(at(serverPods(all).spec, 'terminationGracePeriodSeconds')).to.be.at.least(40);
    });

    it(`in ${name} sees a new key of tokens: its Secret is mounted as a folder`, () => {
      const container = serverContainer(render(scenario(name)));
      const mount = container.volumeMounts?.find((each) => each.name === 'secrets');
      expect(mount).to.deep.equal({ name: 'secrets', mountPath: '/run/secrets/omendb', readOnly: true });
      const file = container.env?.find((each) => each.name === 'OMENDB_JWT_SECRET_FILE');
      expect(file?.value).to.equal('/run/secrets/omendb/jwt-secret');
    });
  }
});
