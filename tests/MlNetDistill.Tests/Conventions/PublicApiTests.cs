using Microsoft.ML;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests.Conventions;

public sealed class PublicApiTests
{
    [TestCase(typeof(DistillationCatalog), "MlNetDistill")]
    [TestCase(typeof(Network), "MlNetDistill.Torch")]
    public void The_public_surface_is_the_approved_one(Type member, string name)
    {
        var approved = File.ReadAllLines(Path.Combine(TestContext.CurrentContext.TestDirectory, "Conventions", $"{name}.approved.txt"));
        var found = PublicApi.Of(member.Assembly).ToArray();
        var received = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{name}.received.txt");
        File.WriteAllLines(received, found);

        Assert.Multiple(() =>
        {
            Assert.That(found.Except(approved), Is.Empty, $"added to the public surface; if that is meant, copy {received} over the approved file");
            Assert.That(approved.Except(found), Is.Empty, $"gone from the public surface; if that is meant, copy {received} over the approved file");
            Assert.That(found, Is.EqualTo(approved));
        });
    }
}
