use super::decode::Decoder;
use super::dynamic::DynamicTable;
use super::*;
use httlib_hpack::Encoder;
use proptest::prelude::*;
use std::collections::VecDeque;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Fields, Undecodable> {
    let mut fields = Vec::new();
    decoder.decode(block, &mut Vec::new(), |name, value| {
        fields.push((name.to_vec(), value.to_vec()));
    })?;
    Ok(fields)
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn fields(list: &[(&str, &str)]) -> Fields {
    list.iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}

/// RFC 7541, appendix C.1.
#[test]
fn integers_of_the_appendix() {
    for (value, bits, bytes) in [(10, 5, "0a"), (1337, 5, "1f9a0a"), (42, 8, "2a")] {
        let mut out = Vec::new();
        integer::put(value, 0, bits, &mut out);
        assert_eq!(out, hex(bytes));
        assert_eq!(integer::take(&mut &out[..], bits), Ok(value));
    }
}

#[test]
fn integers_have_an_end() {
    for endless in [
        "1f",
        "1f80",
        "1fffffffffff",
        "1f80808080808080",
        "1fffffffff7f",
    ] {
        assert_eq!(
            integer::take(&mut &hex(endless)[..], 5),
            Err(Undecodable),
            "{endless}"
        );
    }
    assert_eq!(
        integer::take(&mut &hex("1f e0 ff ff ff 0f")[..], 5),
        Ok(u32::MAX as usize)
    );
}

/// RFC 7541, appendices C.3 and C.4: the same three requests on one connection, plain and in the Huffman code.
#[test]
fn requests_of_the_appendix() {
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let coded = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    let expected = [
        fields(&[
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "www.example.com"),
        ]),
        fields(&[
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "www.example.com"),
            ("cache-control", "no-cache"),
        ]),
        fields(&[
            (":method", "GET"),
            (":scheme", "https"),
            (":path", "/index.html"),
            (":authority", "www.example.com"),
            ("custom-key", "custom-value"),
        ]),
    ];
    for blocks in [plain, coded] {
        let mut decoder = Decoder::default();
        for (block, expected) in blocks.iter().zip(&expected) {
            assert_eq!(decode(&mut decoder, &hex(block)).as_ref(), Ok(expected));
        }
    }
}

/// RFC 7541, appendix C.5: a table of 256 bytes, from which fields are pushed out.
#[test]
fn responses_of_the_appendix() {
    let mut decoder = Decoder::default();
    let first = "3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d
                 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d";
    let date = "Mon, 21 Oct 2013 20:13:21 GMT";
    let place = "https://www.example.com";
    let list = |status, date| {
        fields(&[
            (":status", status),
            ("cache-control", "private"),
            ("date", date),
            ("location", place),
        ])
    };
    assert_eq!(decode(&mut decoder, &hex(first)), Ok(list("302", date)));
    assert_eq!(
        decode(&mut decoder, &hex("4803 3330 37c1 c0bf")),
        Ok(list("307", date))
    );
    // What was pushed out is not there any more.
    assert_eq!(
        decode(&mut decoder, &hex("c1")),
        Ok(fields(&[("cache-control", "private")]))
    );
    assert_eq!(decode(&mut decoder, &hex("c2")), Err(Undecodable));
}

#[test]
fn blocks_that_cannot_be_decoded() {
    for block in [
        "80",                   // index 0
        "be",                   // an empty dynamic table
        "7f80 8080 8001",       // an index far beyond
        "82 3f e1 01",          // a size after a field
        "3f e2 1f",             // a size beyond 4096
        "00",                   // a name is missing
        "00 05 61",             // a name is cut
        "04 85 ff ff ff ff ff", // the end of a string as a symbol
        "04 82 1f ff",          // eight bits of padding
        "04 81 00",             // padding of noughts
        "04",                   // a value is missing
    ] {
        assert_eq!(
            decode(&mut Decoder::default(), &hex(block)),
            Err(Undecodable),
            "{block}"
        );
    }
    // Up to two sizes may come, the limit itself included.
    assert_eq!(
        decode(&mut Decoder::default(), &hex("20 3f e1 1f 82")),
        Ok(fields(&[(":method", "GET")]))
    );
}

/// However much a peer has remembered, the table is bounded, and what is in it is what came last.
#[test]
fn a_table_holds_what_fits() {
    let mut table = DynamicTable::new(TABLE_BYTES);
    let (mut model, mut size) = (VecDeque::<Vec<u8>>::new(), 0);
    for number in 0..5000_usize {
        let value = vec![number as u8; number * 7919 % 700];
        table.insert(b"name", &value);
        size += value.len() + 36;
        model.push_front(value);
        while size > TABLE_BYTES {
            size -= model.pop_back().unwrap().len() + 36;
        }
        for (age, value) in model.iter().enumerate() {
            assert_eq!(table.get(age), Some((&b"name"[..], &value[..])));
        }
        assert_eq!(table.get(model.len()), None);
        assert!(table.capacity() <= TABLE_BYTES + 2048);
    }
    table.insert(b"name", &[0; 5000]);
    assert_eq!(table.get(0), None);
    (0..200).for_each(|_| table.insert(b"", b""));
    assert!(table.get(127).is_some() && table.get(128).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_algorithm: proptest::test_runner::RngAlgorithm::ChaCha,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7541),
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_is_coded_is_decoded(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut coded = Vec::new();
        huffman::encode(&text, &mut coded);
        prop_assert_eq!(coded.len(), huffman::encoded_len(&text));
        let mut decoded = Vec::new();
        prop_assert_eq!(huffman::decode(&coded, &mut decoded), Ok(()));
        prop_assert_eq!(decoded, text);
    }

    #[test]
    fn whatever_is_written_is_read(
        list in prop::collection::vec((1..62_usize, prop::collection::vec(any::<u8>(), 0..60), any::<bool>()), 0..20),
    ) {
        let (mut block, mut expected) = (Vec::new(), Vec::new());
        for (index, value, is_short) in list {
            let name = statics::FIELDS[index - 1].0;
            match is_short {
                true => encode::named_short(index, &value, &mut block),
                false => encode::literal(name, &value, &mut block),
            }
            expected.push((name.to_vec(), value));
        }
        prop_assert_eq!(decode(&mut Decoder::default(), &block), Ok(expected));
    }

    /// Another encoder with a table of its own, over several blocks of one connection.
    #[test]
    fn what_others_write_is_read(
        blocks in prop::collection::vec(
            prop::collection::vec((0..9_usize, prop::collection::vec(any::<u8>(), 0..300), any::<u8>()), 0..20),
            1..6,
        ),
    ) {
        let names = [":path", "accept", "a", "b", "cookie", "x-a-longer-name", "user-agent", ":method", "etag"];
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        for list in blocks {
            let (mut block, mut expected) = (Vec::new(), Vec::new());
            for (name, value, flags) in list {
                let flags = match flags % 4 {
                    0 => Encoder::WITH_INDEXING,
                    1 => Encoder::WITH_INDEXING | Encoder::HUFFMAN_NAME | Encoder::HUFFMAN_VALUE,
                    2 => Encoder::BEST_FORMAT,
                    _ => Encoder::NEVER_INDEXED | Encoder::HUFFMAN_VALUE,
                };
                let field = (names[name].as_bytes().to_vec(), value);
                encoder.encode((field.0.clone(), field.1.clone(), flags), &mut block).unwrap();
                expected.push(field);
            }
            prop_assert_eq!(decode(&mut decoder, &block), Ok(expected));
        }
    }

    #[test]
    fn no_block_does_any_harm(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..20)) {
        let mut decoder = Decoder::default();
        for block in blocks {
            let _ = decode(&mut decoder, &block);
            prop_assert!(decoder.capacity() <= TABLE_BYTES + 2048);
        }
    }
}
