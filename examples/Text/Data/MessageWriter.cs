namespace TextExample.Data;

/// <summary>
/// Writes messages whose class depends on the order of the words: a negation makes a done matter an open one, and a second matter after "although" or before "but" does
/// not count. Some words belong to several subjects, and some are misspelt, so that letter sequences help.
/// </summary>
internal sealed class MessageWriter(int seed)
{
    private static readonly (string Name, string[] Things, string[] Events)[] Subjects =
    [
        ("delivery", Words("parcel package box shipment delivery order courier driver"), Words("arrived delivered shipped dispatched collected unpacked received found")),
        ("payment", Words("card invoice payment transfer deposit voucher balance receipt"), Words("charged accepted booked cleared debited processed confirmed settled")),
        ("account", Words("account password login profile username email session subscription"), Words("unlocked reset updated activated verified restored registered renewed")),
        ("return", Words("refund return exchange credit replacement warranty complaint claim"), Words("approved refunded granted returned exchanged replaced handled closed")),
    ];

    private static readonly string[] Negations = Words("not never hardly");
    private static readonly string[] Auxiliaries = Words("was is has been has got");
    private static readonly string[] Fillers =
        Words("please hello today again still really yesterday since monday thanks team regards quickly just as you said i think at last for me help");

    private readonly Random _random = new(seed);

    /// <summary>Messages with the same number of each of the eight classes.</summary>
    public Message[] Write(int count) => [.. Enumerable.Range(0, count).Select(i => Write(i % Subjects.Length, isOpen: i / Subjects.Length % 2 == 1))];

    private Message Write(int subject, bool isOpen)
    {
        string[] matter = Clause(subject, isOpen);
        string[] other = Clause((subject + 1 + _random.Next(Subjects.Length - 1)) % Subjects.Length, _random.Next(2) == 1);
        string[] words = _random.Next(5) switch
        {
            0 => [.. other, "but", .. matter],
            1 => [.. matter, "although", .. other],
            _ => matter,
        };
        return new Message
        {
            Label = $"{Subjects[subject].Name}, {(isOpen ? "open" : "done")}",
            Text = string.Join(' ', Fill(3).Concat(words).Concat(Fill(3)).Select(Type)),
        };
    }

    private string[] Clause(int subject, bool isOpen)
    {
        // One event in ten is another subject's: a card that has "arrived" is still about payment.
        var events = Subjects[_random.Next(10) == 0 ? _random.Next(Subjects.Length) : subject].Events;
        return [Pick(["the", "my"]), Pick(Subjects[subject].Things), .. Fill(1), Pick(Auxiliaries), .. isOpen ? [Pick(Negations)] : Array.Empty<string>(), Pick(events)];
    }

    private string[] Fill(int atMost) => [.. Enumerable.Range(0, _random.Next(atMost + 1)).Select(_ => Pick(Fillers))];

    /// <summary>The word, in three of ten cases with a letter left out, doubled or exchanged with the next.</summary>
    private string Type(string word)
    {
        if (word.Length < 5 || _random.Next(10) >= 3)
            return word;
        var i = _random.Next(word.Length - 1);
        return _random.Next(3) switch
        {
            0 => word.Remove(i, 1),
            1 => word.Insert(i, word[i..(i + 1)]),
            _ => $"{word[..i]}{word[i + 1]}{word[i]}{word[(i + 2)..]}",
        };
    }

    private string Pick(string[] words) => words[_random.Next(words.Length)];

    private static string[] Words(string words) => words.Split(' ');
}
