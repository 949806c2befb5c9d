using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;


namespace MlNetDistill.Tests.Teachers;

/// <summary>A pass of a teacher over all rows.</summary>
public sealed class LiveAnswersTests
{
    [Test]
    public void A_resumed_pass_asks_in_the_batches_of_an_undisturbed_one()
    {
        using var set = Toy.Clouds(rows: 300);
        var asked = new List<string>();
        var recording = TeacherCaching.InMemory(100);
        var rest = LiveOutputs.Enumerate(set, ModelOutputs.Logits, null, recording, 256, Answer).SelectMany(c => c.Ids).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(rest, Is.EqualTo(set.RowIds.Skip(256)));
            Assert.That(asked, Is.EqualTo(new[] { "200-299" }));
        });

        NetworkOutput Answer(Batch batch, ModelOutputs wanted)
        {
            var rows = batch.Positions.data<long>().ToArray();
            asked.Add($"{rows[0]}-{rows[^1]}");
            return new NetworkOutput(batch.Features.narrow(1, 0, 3));
        }
    }
}
