import { expect } from 'chai';
import { AdaptiveConcurrency } from '#sdk/bulk/concurrency.js';

describe('The number of batches in flight', () => {
  it('grows with success up to its maximum and halves when the server asks for less', () => {
    const gate = new AdaptiveConcurrency(8);
    expect(gate.limit).to.equal(2);
    for (let i = 0; i < 100; i += 1) gate.succeeded();
    expect(gate.limit).to.equal(8);
    gate.pressed(0);
    gate.pressed(10);
    expect(gate.limit).to.equal(4);
    gate.pressed(1000);
    gate.pressed(2000);
    gate.pressed(3000);
    expect(gate.limit).to.equal(1);
  });

  it('lets waiting batches in as room is made', async () => {
    const gate = new AdaptiveConcurrency(1);
    await gate.acquire();
    let entered = false;
    const waiting = gate.acquire().then(() => {
      entered = true;
    });
    await Promise.resolve();
    expect(entered).to.equal(false);
    gate.release();
    await waiting;
    expect(gate.inFlight).to.equal(1);
  });
});
