using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Tests.Teachers;

/// <summary>A pass of a teacher over all rows.</summary>
public sealed class LiveOutputsTests
{
    [Test]
    public void A_resumed_pass_queries_the_batches_of_an_uninterrupted_one()
    {
        using var set = Toy.Clouds(rows: 300);
        var queried = new List<string>();
        var caching = TeacherCaching.InMemory(100);
        var rest = LiveOutputs.Enumerate(set, ModelOutputs.Logits, null, caching, 256, Query).SelectMany(c => c.Ids).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(rest, Is.EqualTo(set.RowIds.Skip(256)));
            Assert.That(queried, Is.EqualTo(new[] { "200-299" }));
        });

        NetworkOutput Query(Batch batch, ModelOutputs wanted)
        {
            var rows = batch.Positions.data<long>().ToArray();
            queried.Add($"{rows[0]}-{rows[^1]}");
            return new NetworkOutput(batch.Features.narrow(1, 0, 3));
        }
    }
}
