using System.Text.Json;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

public sealed class NetworkJsonTests
{
    [Test]
    public void A_number_beyond_the_largest_is_refused() => Assert.That(
        () => NetworkSpec.FromJson(NetworkSpec.MobileNetV2(0.25).ToJson().Replace("0.25", "1e400", StringComparison.Ordinal)),
        Throws.TypeOf<JsonException>().With.Message.StartsWith("The text does not describe a built-in network: "));
}
