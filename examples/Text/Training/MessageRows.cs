using Microsoft.ML;
using TextExample.Data;

namespace TextExample.Training;

/// <summary>The messages of one repetition.</summary>
internal sealed record MessageRows(IDataView Labelled, IDataView All, Message[] Test)
{
    public static MessageRows Draw(MLContext mlContext, Settings settings, int seed)
    {
        // Two writers, so that the test messages are drawn with another seed.
        var writer = new MessageWriter(2 * seed);
        var labelled = writer.Write(Settings.Labelled);
        var unlabelled = writer.Write(settings.Unlabelled).Select(message => new Message { Text = message.Text });
        return new MessageRows(
            mlContext.Data.LoadFromEnumerable(labelled),
            mlContext.Data.LoadFromEnumerable<Message>([.. labelled, .. unlabelled]),
            new MessageWriter((2 * seed) + 1).Write(settings.Test));
    }
}
